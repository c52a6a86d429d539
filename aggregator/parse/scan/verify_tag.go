package scan

import (
	"bytes"
	"unicode/utf8"
)

// startTag verifies a start tag or an empty-element tag (XML 1.0 section 3.1) and opens its element.
func (v *verifier) startTag(at int) int {
	b := v.b
	i := v.tagName(at + 1)
	if i == stopped {
		return stopped
	}
	name := b[at+1 : i]
	scope := len(v.ns)
	v.names, v.base = v.names[:0], false
	empty := false
	for {
		for i < len(b) && classes[b[i]]&spaceByte != 0 {
			i++
		}
		if i+1 >= len(b) {
			if i < len(b) && b[i] == '>' {
				break
			}
			return v.fail("end inside a tag")
		}
		if b[i] == '>' {
			break
		}
		if b[i] == '/' {
			if b[i+1] != '>' {
				return v.fail("stray '/' in a tag")
			}
			empty = true
			i++
			break
		}
		if i = v.attribute(i); i == stopped {
			return stopped
		}
	}
	if !v.open(name, at, i+1, scope) {
		return stopped
	}
	if empty {
		v.pop(i + 1)
	}
	return i + 1
}

// tagName verifies the name that begins at b[start] and returns where it ends. It is what isName does, in one pass for
// ASCII.
func (v *verifier) tagName(start int) int {
	b := v.b
	if classes[b[start]]&nameStart == 0 && b[start] < utf8.RuneSelf {
		return v.fail("stray '<'")
	}
	i, colon, foreign := start, 0, false
	for ; i < len(b) && (classes[b[i]]&nameByte != 0 || b[i] >= utf8.RuneSelf); i++ {
		if b[i] >= utf8.RuneSelf {
			foreign = true
		}
		if b[i] == ':' {
			if colon > 0 {
				return v.fail("name with two colons")
			}
			colon = i
		}
	}
	if colon == i-1 {
		return v.fail("name that ends in a colon")
	}
	if foreign && !isName(b[start:i]) {
		return v.fail("name")
	}
	return i
}

// attribute verifies the attribute at b[i] and returns where it ends.
func (v *verifier) attribute(i int) int {
	b := v.b
	start := i
	for i < len(b) && (classes[b[i]]&nameByte != 0 || b[i] >= utf8.RuneSelf) {
		i++
	}
	name := b[start:i]
	if !isName(name) {
		return v.fail("attribute name")
	}
	for i < len(b) && classes[b[i]]&spaceByte != 0 {
		i++
	}
	if i >= len(b) || b[i] != '=' {
		return v.fail("attribute without value")
	}
	i++
	for i < len(b) && classes[b[i]]&spaceByte != 0 {
		i++
	}
	if i >= len(b) || b[i] != '"' && b[i] != '\'' {
		return v.fail("unquoted attribute")
	}
	n := bytes.IndexByte(b[i+1:], b[i])
	if n < 0 {
		return v.fail("attribute without end")
	}
	value := b[i+1 : i+1+n]
	if bytes.IndexByte(value, '<') >= 0 {
		return v.fail("'<' in an attribute")
	}
	if r := bytes.IndexByte(value, '&'); r >= 0 && !validReferences(value[r:]) {
		return v.fail("reference in an attribute")
	}
	for _, other := range v.names {
		if string(other) == string(name) {
			return v.fail("duplicate attribute")
		}
	}
	if v.names = append(v.names, name); len(v.names) > v.limits.Attributes {
		return v.refuse("attributes on an element", v.limits.Attributes)
	}
	if name[0] == 'x' && !v.reservedAttribute(name, value) {
		return stopped
	}
	return i + n + 2
}

// reservedAttribute takes note of a namespace declaration or an xml:base.
func (v *verifier) reservedAttribute(name, value []byte) bool {
	switch {
	case bytes.HasPrefix(name, []byte("xmlns")):
		if len(name) > 5 && name[5] != ':' {
			return true
		}
		if len(name) > 5 && len(value) == 0 {
			v.fail("prefix declared as nothing")
			return false
		}
		if v.ns = append(v.ns, declaration{name[min(len(name), 6):]}); len(v.ns) > v.limits.Namespaces {
			v.refuse("namespaces in scope of an element", v.limits.Namespaces)
			return false
		}
	case string(name) == "xml:base":
		v.base = true
		v.bases++
		if v.bases > v.limits.Bases {
			v.refuse("xml:base attributes", v.limits.Bases)
			return false
		}
		if len(value) > v.limits.BaseLength {
			v.refuse("bytes in an xml:base", v.limits.BaseLength)
			return false
		}
	}
	return true
}

// open puts an element on the stack. at is where its tag begins, content where it ends.
func (v *verifier) open(name []byte, at, content, scope int) bool {
	if len(v.stack) >= v.limits.Depth {
		v.refuse("elements inside each other", v.limits.Depth)
		return false
	}
	f := frame{name: name, ns: scope, start: content}
	prefix, local := prefixOf(name), name
	if len(prefix) > 0 {
		local = name[len(prefix)+1:]
	}
	v.declared(prefix)
	for _, attribute := range v.names {
		if p := prefixOf(attribute); len(p) > 0 && string(p) != "xml" && string(p) != "xmlns" {
			v.declared(p)
		}
	}
	if len(v.undeclared) > v.limits.Namespaces {
		v.refuse("undeclared namespaces", v.limits.Namespaces)
		return false
	}
	if len(v.stack) == 0 {
		f.role = roleRoot
	} else {
		parent := &v.stack[len(v.stack)-1]
		f.bases = parent.bases
		f.role = v.roleOf(parent, prefix, local, scope)
		if !v.structure(parent, &f, at) {
			return false
		}
	}
	if v.base {
		if f.bases++; f.bases > v.limits.BaseDepth {
			v.refuse("xml:base inside each other", v.limits.BaseDepth)
			return false
		}
	}
	v.stack = append(v.stack, f)
	return v.charge(f.role)
}

// charge counts an element where a parser does more for it than to find its end.
func (v *verifier) charge(r role) bool {
	if r == roleText && v.stack[len(v.stack)-2].role == roleText {
		return true
	}
	if v.elements++; v.elements > v.limits.Elements {
		v.refuse("elements", v.limits.Elements)
		return false
	}
	if v.bindings += len(v.ns); v.bindings > v.limits.Bindings {
		v.refuse("namespaces in scope of all elements together", v.limits.Bindings)
		return false
	}
	return true
}

// declared takes note of a prefix that no declaration in scope binds.
func (v *verifier) declared(prefix []byte) {
	if len(prefix) == 0 || string(prefix) == "xml" {
		return
	}
	for i := len(v.ns) - 1; i >= 0; i-- {
		if string(v.ns[i].prefix) == string(prefix) {
			return
		}
	}
	for _, p := range v.undeclared {
		if string(p) == string(prefix) {
			return
		}
	}
	v.undeclared = append(v.undeclared, prefix)
}

// roleOf says how a parser treats an element inside of parent.
func (v *verifier) roleOf(parent *frame, prefix, local []byte, scope int) role {
	switch parent.role {
	case roleText, roleExtension:
		return parent.role
	case roleOther:
		if len(prefix) > 0 || v.ownDefault(scope) {
			return roleExtension
		}
		return roleOther
	}
	root := prefixOf(v.stack[0].name)
	if len(prefix) > 0 && string(prefix) != string(root) && !foldIs(prefix, "rss") {
		if foldIs(prefix, "content") && foldIs(local, "encoded") {
			return roleText
		}
		return roleExtension
	}
	switch {
	case parent.role != roleItem && isItemName(local):
		return roleItem
	case parent.role == roleRoot && foldIs(local, "channel"):
		return roleChannel
	case isTextName(local):
		return roleText
	case v.ownDefault(scope):
		return roleExtension
	}
	return roleOther
}

// ownDefault reports whether the current tag declares a default namespace.
func (v *verifier) ownDefault(scope int) bool {
	for _, d := range v.ns[scope:] {
		if len(d.prefix) == 0 {
			return true
		}
	}
	return false
}

// structure finds the defects that are well-formed: an item that was not closed before the next one, and a second
// channel, which makes a parser forget the first.
func (v *verifier) structure(parent, f *frame, at int) bool {
	switch {
	case f.role == roleItem:
		if len(v.items) >= v.limits.Items {
			v.refuse("items", v.limits.Items)
			return false
		}
		v.itemStart = at
		if foldIs(localOf(f.name), "entry") {
			v.entries++
		}
	case f.role == roleChannel && !foldIs(v.stack[0].name, "channel"):
		if v.channels++; v.channels > 1 {
			v.fail("second channel")
			return false
		}
	case parent.role == roleItem && f.role == roleOther && isItemName(f.name):
		v.fail("item in an item")
		return false
	}
	return true
}
