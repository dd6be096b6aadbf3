package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"
)

// The clock and the randomness are WASI's, as any package would get at them.
func tickLine() string {
	var bytes [4]byte
	_, _ = rand.Read(bytes[:])
	number := binary.LittleEndian.Uint32(bytes[:]) % 1_000_000
	return fmt.Sprintf("It is %d now, and the number is %d", time.Now().Unix(), number)
}
