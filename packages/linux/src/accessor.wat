;; Exact loads and stores at a byte address of the memory over which registers are mapped.
;; Loads are atomic: no tier of V8 drops, merges, splits or widens those, while it does all that to plain loads of
;; JavaScript and of WebAssembly. Stores are plain: atomic ones are xchg on x86, which reads the register too.
;; accessor-wasm.ts has the bytes of this text; accessor.test.ts compares them.
(module
  (import "ring3" "memory" (memory 1 65536))

  (func (export "read8") (param $at i32) (result i32) (i32.atomic.load8_u (local.get $at)))
  (func (export "read16") (param $at i32) (result i32) (i32.atomic.load16_u (local.get $at)))
  (func (export "read32") (param $at i32) (result i32) (i32.atomic.load (local.get $at)))
  (func (export "read64") (param $at i32) (result i64) (i64.atomic.load (local.get $at)))
  (func (export "write64") (param $at i32) (param $value i64) (i64.store (local.get $at) (local.get $value)))

  ;; One register into memory from $to up to $end, which lie apart by at least one word.
  (func (export "readFifo8") (param $at i32) (param $to i32) (param $end i32)
    (loop $next
      (i32.store8 (local.get $to) (i32.atomic.load8_u (local.get $at)))
      (br_if $next (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 1))) (local.get $end)))))
  (func (export "readFifo16") (param $at i32) (param $to i32) (param $end i32)
    (loop $next
      (i32.store16 (local.get $to) (i32.atomic.load16_u (local.get $at)))
      (br_if $next (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 2))) (local.get $end)))))
  (func (export "readFifo32") (param $at i32) (param $to i32) (param $end i32)
    (loop $next
      (i32.store (local.get $to) (i32.atomic.load (local.get $at)))
      (br_if $next (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 4))) (local.get $end)))))

  ;; Memory from $from up to $end into one register.
  (func (export "writeFifo8") (param $at i32) (param $from i32) (param $end i32)
    (loop $next
      (i32.store8 (local.get $at) (i32.load8_u (local.get $from)))
      (br_if $next (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 1))) (local.get $end)))))
  (func (export "writeFifo16") (param $at i32) (param $from i32) (param $end i32)
    (loop $next
      (i32.store16 (local.get $at) (i32.load16_u (local.get $from)))
      (br_if $next (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 2))) (local.get $end)))))
  (func (export "writeFifo32") (param $at i32) (param $from i32) (param $end i32)
    (loop $next
      (i32.store (local.get $at) (i32.load (local.get $from)))
      (br_if $next (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 4))) (local.get $end)))))

  ;; Registers at rising addresses, 32 bits each, eight in a round: half the time of one in a round.
  (func (export "readBlock") (param $at i32) (param $to i32) (param $end i32)
    (loop $eight
      (if (i32.le_u (i32.add (local.get $to) (i32.const 32)) (local.get $end))
        (then
          (i32.store offset=0 (local.get $to) (i32.atomic.load offset=0 (local.get $at)))
          (i32.store offset=4 (local.get $to) (i32.atomic.load offset=4 (local.get $at)))
          (i32.store offset=8 (local.get $to) (i32.atomic.load offset=8 (local.get $at)))
          (i32.store offset=12 (local.get $to) (i32.atomic.load offset=12 (local.get $at)))
          (i32.store offset=16 (local.get $to) (i32.atomic.load offset=16 (local.get $at)))
          (i32.store offset=20 (local.get $to) (i32.atomic.load offset=20 (local.get $at)))
          (i32.store offset=24 (local.get $to) (i32.atomic.load offset=24 (local.get $at)))
          (i32.store offset=28 (local.get $to) (i32.atomic.load offset=28 (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 32)))
          (local.set $to (i32.add (local.get $to) (i32.const 32)))
          (br $eight))))
    (loop $next
      (if (i32.lt_u (local.get $to) (local.get $end))
        (then
          (i32.store (local.get $to) (i32.atomic.load (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (local.set $to (i32.add (local.get $to) (i32.const 4)))
          (br $next)))))
  (func (export "writeBlock") (param $at i32) (param $from i32) (param $end i32)
    (loop $eight
      (if (i32.le_u (i32.add (local.get $from) (i32.const 32)) (local.get $end))
        (then
          (i32.store offset=0 (local.get $at) (i32.load offset=0 (local.get $from)))
          (i32.store offset=4 (local.get $at) (i32.load offset=4 (local.get $from)))
          (i32.store offset=8 (local.get $at) (i32.load offset=8 (local.get $from)))
          (i32.store offset=12 (local.get $at) (i32.load offset=12 (local.get $from)))
          (i32.store offset=16 (local.get $at) (i32.load offset=16 (local.get $from)))
          (i32.store offset=20 (local.get $at) (i32.load offset=20 (local.get $from)))
          (i32.store offset=24 (local.get $at) (i32.load offset=24 (local.get $from)))
          (i32.store offset=28 (local.get $at) (i32.load offset=28 (local.get $from)))
          (local.set $at (i32.add (local.get $at) (i32.const 32)))
          (local.set $from (i32.add (local.get $from) (i32.const 32)))
          (br $eight))))
    (loop $next
      (if (i32.lt_u (local.get $from) (local.get $end))
        (then
          (i32.store (local.get $at) (i32.load (local.get $from)))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (local.set $from (i32.add (local.get $from) (i32.const 4)))
          (br $next)))))

  ;; mfence on x86, dmb ish on arm64.
  (func (export "barrier") (atomic.fence)))
