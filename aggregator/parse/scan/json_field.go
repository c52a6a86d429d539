package scan

// field reads a value that should have the wanted shape.
func (j *jsonScanner) field(i int, key string, want shape, depth int) int {
	if i >= len(j.b) {
		return -1
	}
	start, first := i, j.b[i]
	if first == 'n' || want == anything {
		return j.value(i, depth)
	}
	edits := len(j.edits)
	switch want {
	case aString:
		return j.stringField(i, key, depth)
	case anAuthor:
		switch first {
		case '{':
			return j.object(i, authorFields, depth+1)
		case '"':
			return j.wrapped(i, key, `{"name":`, `}`, depth)
		}
	case authorList:
		switch first {
		case '[':
			return j.list(i, depth+1, func(i int) int { return j.field(i, key, anAuthor, depth+1) })
		case '{':
			return j.listOfOne(i, key, authorFields, depth)
		case '"':
			return j.wrapped(i, key, `[{"name":`, `}]`, depth)
		}
	case stringList:
		switch first {
		case '[':
			return j.list(i, depth+1, func(i int) int { return j.stringField(i, key, depth+1) })
		case '"':
			return j.wrapped(i, key, `[`, `]`, depth)
		}
	case attachmentList:
		switch first {
		case '[':
			return j.list(i, depth+1, func(i int) int { return j.objectIn(i, key, attachmentFields, depth+1) })
		case '{':
			return j.listOfOne(i, key, attachmentFields, depth)
		}
	case itemList:
		if first == '[' {
			return j.itemList(i, depth+1)
		}
	}
	return j.replaced(start, j.value(i, depth), edits, key)
}

// listOfOne makes a list of the object at b[i].
func (j *jsonScanner) listOfOne(i int, key string, known fields, depth int) int {
	j.edits = append(j.edits, edit{i, i, "["})
	if i = j.object(i, known, depth+1); i >= 0 {
		j.notes.add("JSON field '" + key + "' of another type converted")
		j.edits = append(j.edits, edit{i, i, "]"})
	}
	return i
}

// replaced makes null of the value in b[start:end], and forgets the edits inside of it.
func (j *jsonScanner) replaced(start, end, edits int, key string) int {
	if end < 0 {
		return -1
	}
	j.notes.add("JSON field '" + key + "' of the wrong type left out")
	j.edits = append(j.edits[:edits], edit{start, end, "null"})
	return end
}

// wrapped puts the string at b[i] into what the format wants around it.
func (j *jsonScanner) wrapped(i int, key, before, after string, depth int) int {
	j.edits = append(j.edits, edit{i, i, before})
	if i = j.value(i, depth); i >= 0 {
		j.notes.add("JSON field '" + key + "' of another type converted")
		j.edits = append(j.edits, edit{i, i, after})
	}
	return i
}

// stringField reads a value that should be a string: a number or boolean becomes one.
func (j *jsonScanner) stringField(i int, key string, depth int) int {
	if i >= len(j.b) {
		return -1
	}
	switch c := j.b[i]; {
	case c == '"':
		return j.text(i)
	case c == 'n':
		return j.value(i, depth)
	case c == '{' || c == '[':
		edits := len(j.edits)
		return j.replaced(i, j.value(i, depth), edits, key)
	}
	return j.wrapped(i, key, `"`, `"`, depth)
}

// objectIn reads an element of a list of objects; anything else there becomes an empty object.
func (j *jsonScanner) objectIn(i int, key string, known fields, depth int) int {
	if i < len(j.b) && j.b[i] == '{' {
		return j.object(i, known, depth+1)
	}
	edits := len(j.edits)
	end := j.value(i, depth)
	if end >= 0 {
		j.notes.add("JSON field '" + key + "' of the wrong type left out")
		j.edits = append(j.edits[:edits], edit{i, end, "{}"})
	}
	return end
}
