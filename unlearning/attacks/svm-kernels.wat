;; The two inner loops of svm.ts, with two doubles per operation. `npx tsx
;; unlearning/attacks/make-svm-kernels.ts` compiles this file into svm-kernels.ts.
;;
;; All operations are those of IEEE 754, without fused or relaxed ones, so that results are the same
;; on every processor.
;;
;; An array has `size` bytes, a multiple of 256. The memory begins with the arrays x, error, rise
;; and fall, and continues with the greatest and the least error of each block of 32 elements
;; (size / 32 bytes each).
(module
  (memory (import "svm" "memory") 1)

  ;; Writes exp(-(at - x)^2) for all x to the array at `out`. The exponential is that of fdlibm
  ;; (e_exp.c), which Math.exp of V8 is, operation by operation: s = k ln 2 + remainder,
  ;; a polynomial of the remainder, and a multiplication by 2^-k. The results are the same bits.
  (func (export "kernelRow") (param $size i32) (param $out i32) (param $at f64)
    (local $x i32) (local $center v128)
    (local $s v128) (local $k v128) (local $k1 v128) (local $high v128) (local $low v128)
    (local $z v128) (local $zz v128) (local $c v128) (local $y v128)
    (local.set $center (f64x2.splat (local.get $at)))
    (loop $next
      (local.set $s (f64x2.sub (local.get $center) (v128.load (local.get $x))))
      ;; exp(-s) is 0 from s = 745.2 on, and k has to fit into the exponents below.
      (local.set $s (f64x2.pmin
        (f64x2.mul (local.get $s) (local.get $s))
        (v128.const f64x2 750 750)))

      ;; k = s / ln 2, rounded, and 0 below 0x1.62e43p-2, which is a little above (ln 2) / 2.
      (local.set $k (v128.andnot
        (f64x2.trunc (f64x2.add
          (f64x2.mul (local.get $s) (v128.const f64x2 1.44269504088896338700 1.44269504088896338700))
          (v128.const f64x2 0.5 0.5)))
        (f64x2.lt (local.get $s) (v128.const f64x2 0x1.62e43p-2 0x1.62e43p-2))))

      ;; The remainder z = k ln 2 - s, with ln 2 in two parts.
      (local.set $high (f64x2.sub
        (f64x2.mul (local.get $k) (v128.const f64x2 6.93147180369123816490e-01 6.93147180369123816490e-01))
        (local.get $s)))
      (local.set $low
        (f64x2.mul (local.get $k) (v128.const f64x2 -1.90821492927058770002e-10 -1.90821492927058770002e-10)))
      (local.set $z (f64x2.sub (local.get $high) (local.get $low)))

      ;; c = z - z^2 (P1 + z^2 (P2 + z^2 (P3 + z^2 (P4 + z^2 P5))))
      (local.set $zz (f64x2.mul (local.get $z) (local.get $z)))
      (local.set $c
        (f64x2.mul (local.get $zz) (v128.const f64x2 4.13813679705723846039e-08 4.13813679705723846039e-08)))
      (local.set $c (f64x2.mul (local.get $zz) (f64x2.add
        (v128.const f64x2 -1.65339022054652515390e-06 -1.65339022054652515390e-06)
        (local.get $c))))
      (local.set $c (f64x2.mul (local.get $zz) (f64x2.add
        (v128.const f64x2 6.61375632143793436117e-05 6.61375632143793436117e-05)
        (local.get $c))))
      (local.set $c (f64x2.mul (local.get $zz) (f64x2.add
        (v128.const f64x2 -2.77777777770155933842e-03 -2.77777777770155933842e-03)
        (local.get $c))))
      (local.set $c (f64x2.mul (local.get $zz) (f64x2.add
        (v128.const f64x2 1.66666666666666019037e-01 1.66666666666666019037e-01)
        (local.get $c))))
      (local.set $c (f64x2.sub (local.get $z) (local.get $c)))

      ;; y = 1 - ((low - z c / (2 - c)) - high), without the quotient below s = 2^-28.
      (local.set $y (v128.andnot
        (f64x2.div
          (f64x2.mul (local.get $z) (local.get $c))
          (f64x2.sub (v128.const f64x2 2 2) (local.get $c)))
        (f64x2.lt (local.get $s) (v128.const f64x2 0x1p-28 0x1p-28))))
      (local.set $y (f64x2.sub
        (v128.const f64x2 1 1)
        (f64x2.sub (f64x2.sub (local.get $low) (local.get $y)) (local.get $high))))

      ;; y 2^-k in two multiplications, since 2^-k alone may be too small for a double. The double
      ;; 2^52 + n has n in its lowest bits, and 2^(n - 1023) has n in its exponent.
      (local.set $k1 (f64x2.pmin (local.get $k) (v128.const f64x2 1000 1000)))
      (local.set $y (f64x2.mul (local.get $y) (i64x2.shl
        (f64x2.sub (v128.const f64x2 4503599627371519 4503599627371519) (local.get $k1))
        (i32.const 52))))
      (local.set $y (f64x2.mul (local.get $y) (i64x2.shl
        (f64x2.sub
          (v128.const f64x2 4503599627371519 4503599627371519)
          (f64x2.sub (local.get $k) (local.get $k1)))
        (i32.const 52))))

      (v128.store (local.get $out) (local.get $y))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $x) (local.get $size)))))

  ;; Subtracts step (K_i - K_j) from all errors, where K_i and K_j are the kernel rows at `i` and
  ;; `j`. Writes the greatest error + rise and the least error + fall of each block.
  (func (export "update") (param $size i32) (param $i i32) (param $j i32) (param $step f64)
    (local $steps v128) (local $e v128) (local $max v128) (local $min v128)
    (local $error i32) (local $end i32) (local $block i32)
    (local $rise i32) (local $fall i32) (local $greatest i32) (local $least i32)
    (local.set $steps (f64x2.splat (local.get $step)))
    (local.set $error (local.get $size))
    (local.set $rise (i32.mul (local.get $size) (i32.const 2)))
    (local.set $end (local.get $rise))
    (local.set $fall (i32.mul (local.get $size) (i32.const 3)))
    (local.set $greatest (i32.mul (local.get $size) (i32.const 4)))
    (local.set $least (i32.add (local.get $greatest) (i32.div_u (local.get $size) (i32.const 32))))
    (loop $blocks
      (local.set $block (i32.add (local.get $error) (i32.const 256)))
      (local.set $max (v128.const f64x2 -inf -inf))
      (local.set $min (v128.const f64x2 inf inf))
      (loop $next
        (local.set $e (f64x2.sub
          (v128.load (local.get $error))
          (f64x2.mul
            (local.get $steps)
            (f64x2.sub (v128.load (local.get $i)) (v128.load (local.get $j))))))
        (v128.store (local.get $error) (local.get $e))
        (local.set $max
          (f64x2.pmax (local.get $max) (f64x2.add (local.get $e) (v128.load (local.get $rise)))))
        (local.set $min
          (f64x2.pmin (local.get $min) (f64x2.add (local.get $e) (v128.load (local.get $fall)))))
        (local.set $error (i32.add (local.get $error) (i32.const 16)))
        (local.set $i (i32.add (local.get $i) (i32.const 16)))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (local.set $rise (i32.add (local.get $rise) (i32.const 16)))
        (local.set $fall (i32.add (local.get $fall) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $error) (local.get $block))))
      (f64.store (local.get $greatest)
        (f64.max (f64x2.extract_lane 0 (local.get $max)) (f64x2.extract_lane 1 (local.get $max))))
      (f64.store (local.get $least)
        (f64.min (f64x2.extract_lane 0 (local.get $min)) (f64x2.extract_lane 1 (local.get $min))))
      (local.set $greatest (i32.add (local.get $greatest) (i32.const 8)))
      (local.set $least (i32.add (local.get $least) (i32.const 8)))
      (br_if $blocks (i32.lt_u (local.get $error) (local.get $end)))))
)
