package bolt

import (
	"encoding/binary"
	"hash/crc32"
)

// sealed is a copy of b with its CRC-32C behind it.
func sealed(b []byte) []byte { return appendSum(append(make([]byte, 0, len(b)+crc32.Size), b...)) }

func appendSum(b []byte) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, checksums))
}

// unsealed is what was sealed, and reports whether it is as it was.
func unsealed(v []byte) ([]byte, bool) {
	n := len(v) - crc32.Size
	if n < 0 {
		return nil, false
	}
	return v[:n:n], crc32.Checksum(v[:n], checksums) == binary.BigEndian.Uint32(v[n:])
}
