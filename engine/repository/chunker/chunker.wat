;; Gear chunker, see chunker-reference.ts for what it computes. Addresses 0–2047 of the memory hold the table of 256 × i64.
;; chunker-wasm.ts holds this module compiled: run `node build/scripts/chunker-wasm.ts` after a change.
(module
  (import "holdfast" "memory" (memory 1 65536 shared))

  ;; The rolling hash, kept between the stretches of one chunk.
  (global $hash (mut i64) (i64.const 0))

  ;; Rolls over the bytes of [at, stop). Gives the address behind the first byte at which the hash is below the limit, or 0.
  ;; Eight bytes a turn; a turn with a hit is gone through again byte by byte to see where.
  (func $scan (param $at i32) (param $stop i32) (param $limit i64) (result i32)
    (local $hash i64) (local $before i64) (local $fast i32)
    (local.set $hash (global.get $hash))
    (local.set $before (local.get $hash))
    (local.set $fast (i32.sub (local.get $stop) (i32.const 8)))
    (block $slow
      (br_if $slow (i32.gt_s (local.get $at) (local.get $fast)))
      (block $hit
        (loop $turn
        (local.set $before (local.get $hash))
        (br_if $hit (i64.lt_u (local.tee $hash (i64.add (i64.shl (local.get $hash) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u (local.get $at)) (i32.const 3))))) (local.get $limit)))
        (br_if $hit (i64.lt_u (local.tee $hash (i64.add (i64.shl (local.get $hash) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u offset=1 (local.get $at)) (i32.const 3))))) (local.get $limit)))
        (br_if $hit (i64.lt_u (local.tee $hash (i64.add (i64.shl (local.get $hash) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u offset=2 (local.get $at)) (i32.const 3))))) (local.get $limit)))
        (br_if $hit (i64.lt_u (local.tee $hash (i64.add (i64.shl (local.get $hash) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u offset=3 (local.get $at)) (i32.const 3))))) (local.get $limit)))
        (br_if $hit (i64.lt_u (local.tee $hash (i64.add (i64.shl (local.get $hash) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u offset=4 (local.get $at)) (i32.const 3))))) (local.get $limit)))
        (br_if $hit (i64.lt_u (local.tee $hash (i64.add (i64.shl (local.get $hash) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u offset=5 (local.get $at)) (i32.const 3))))) (local.get $limit)))
        (br_if $hit (i64.lt_u (local.tee $hash (i64.add (i64.shl (local.get $hash) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u offset=6 (local.get $at)) (i32.const 3))))) (local.get $limit)))
        (br_if $hit (i64.lt_u (local.tee $hash (i64.add (i64.shl (local.get $hash) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u offset=7 (local.get $at)) (i32.const 3))))) (local.get $limit)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $turn (i32.le_s (local.get $at) (local.get $fast))))
        (br $slow))
      (local.set $hash (local.get $before)))
    (block $end
      (loop $byte
        (br_if $end (i32.ge_s (local.get $at) (local.get $stop)))
        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u (local.get $at)) (i32.const 3)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (if (i64.lt_u (local.get $hash) (local.get $limit)) (then (return (local.get $at))))
        (br $byte)))
    (global.set $hash (local.get $hash))
    (i32.const 0))

  (func $least (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.lt_s (local.get $a) (local.get $b))))

  ;; Address where the chunk that begins at `start` ends, or 0 when the bytes up to `end` do not decide it.
  (func (export "cut") (param $start i32) (param $end i32) (param $min i32) (param $average i32) (param $max i32)
    (param $hard i64) (param $easy i64) (result i32)
    (local $at i32) (local $middle i32) (local $last i32) (local $found i32)
    (local.set $at (i32.add (local.get $start) (local.get $min)))
    (local.set $middle (call $least (i32.add (local.get $start) (local.get $average)) (local.get $end)))
    (local.set $last (call $least (i32.add (local.get $start) (local.get $max)) (local.get $end)))
    (if (i32.gt_s (local.get $at) (local.get $end)) (then (return (i32.const 0))))
    ;; The hash covers 64 bytes: roll in the 63 before the first possible cut; no hash is below 0.
    (global.set $hash (i64.const 0))
    (local.set $at (i32.sub (local.get $at) (i32.const 1)))
    (drop (call $scan (i32.sub (local.get $at) (i32.const 63)) (local.get $at) (i64.const 0)))
    (local.set $found (call $scan (local.get $at) (local.get $middle) (local.get $hard)))
    (if (local.get $found) (then (return (local.get $found))))
    (local.set $found (call $scan (local.get $middle) (local.get $last) (local.get $easy)))
    (if (local.get $found) (then (return (local.get $found))))
    (select (local.get $last) (i32.const 0)
      (i32.eq (i32.sub (local.get $last) (local.get $start)) (local.get $max)))))
