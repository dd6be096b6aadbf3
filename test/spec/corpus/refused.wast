;; Valid, and still not taken by the gateway: every reason once. What follows such a module counts
;; as refused with it, except in the run without rewriting.
(module
  (import "spectest" "memory" (memory 1))
  (func (export "f") (result i32) (i32.const 1)))
(assert_return (invoke "f") (i32.const 1))
(module
  (import "spectest" "table" (table 10 funcref))
  (func (export "f") (result i32) (i32.const 2)))
(assert_return (invoke "f") (i32.const 2))
(module $global (global (export "g") (mut i32) (i32.const 3)))
(register "global" $global)
(module
  (import "global" "g" (global $g (mut i32)))
  (func (export "f") (result i32) (global.get $g)))
(assert_return (invoke "f") (i32.const 3))
(module
  (memory 1 1 shared)
  (func (export "f") (result i32) (i32.load8_u (i32.const 0))))
(assert_return (invoke "f") (i32.const 0))
(module
  (memory 1) (memory 1)
  (func (export "f") (result i32) (i32.load8_u 1 (i32.const 0))))
(assert_return (invoke "f") (i32.const 0))
