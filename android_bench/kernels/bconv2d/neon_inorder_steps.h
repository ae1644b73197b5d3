// XNOR-popcount in assembly for cores that start instructions in the order of the program (A53,
// A55, A510, A520), so that the order is what there is to it. Macros, put together in
// neon_inorder.cc.
//
// A vector instruction of 128 bits can start every cycle. Beside it an A55 starts a load of 64 bits
// or an INS; an A53 does not, but starts one of each together. Both stop for two cycles at a load
// of 128 bits. So a vector's low half comes by LDR of 64 bits, beside an INS that completes an
// earlier vector, and its high half by way of a general register, whose load stops neither.
//
// A pixel takes 24 vector instructions: EOR and CNT for each of 8 channels, and the tree of ADDP
// and UADALP. They lie so far apart that each finds its operands 6 cycles old: what a PIXEL starts
// with EOR it or the next goes on with, and the second after it ends with UADALP.
//
//   v0-v7        weights of 8 channels    x8-x15  high halves of the next step's weights
//   v8-v15, v26  what becomes of them     x16     high half of the next pixel
//   v16-v23      sums of up to 8 pixels   x17     scratch
//   v24, v25     pixels, in turns
//
// Operands: patch and n (steps left) of the steps, w the weights of the step after this one.
#pragma once

// clang-format off

#define HIGH(x) "ldr x" #x ", [%[w], #16*(" #x "-8)+8]\n"

// A pixel in v<a>, while v<b> is completed and the pixel after next, `ahead` pixels from the step's
// first, comes into v<a>. v<sum> belongs to the pixel before the last. `first` and `second` are
// loads from HIGH.
#define PIXEL(a, b, sum, ahead, first, second) \
  "addp v15.16b, v15.16b, v26.16b\n" \
  "uadalp v" #sum ".8h, v12.16b\n" \
  "eor v11.16b, v0.16b, v" #a ".16b\n" \
  "eor v26.16b, v1.16b, v" #a ".16b\n" \
  "addp v10.16b, v10.16b, v8.16b\n" \
  "addp v9.16b, v9.16b, v14.16b\n" \
    first \
  "addp v14.16b, v13.16b, v15.16b\n" \
  "eor v15.16b, v2.16b, v" #a ".16b\n" \
  "cnt v13.16b, v11.16b\n" \
  "cnt v11.16b, v26.16b\n" \
    second \
  "eor v26.16b, v3.16b, v" #a ".16b\n" \
  "addp v12.16b, v10.16b, v9.16b\n" \
  "eor v10.16b, v4.16b, v" #a ".16b\n" \
  "eor v8.16b, v5.16b, v" #a ".16b\n" \
  "eor v9.16b, v6.16b, v" #a ".16b\n" \
  "addp v13.16b, v13.16b, v11.16b\n" \
  "eor v11.16b, v7.16b, v" #a ".16b\n" \
  "cnt v26.16b, v26.16b\n" \
    "ldr d" #a ", [%[patch], #16*" #ahead "]\n" \
    "ins v" #b ".d[1], x16\n" \
  "cnt v15.16b, v15.16b\n" \
  "addp v12.16b, v14.16b, v12.16b\n" \
    "ldr x16, [%[patch], #16*" #ahead "+8]\n" \
  "cnt v8.16b, v8.16b\n" \
  "cnt v9.16b, v9.16b\n" \
  "cnt v10.16b, v10.16b\n" \
  "cnt v14.16b, v11.16b\n"

// The last pixel of a step; each channel's weights are replaced once they have met it. The step after
// the last one loads the last one's again.
#define LAST_PIXEL(a, b, sum, ahead) \
  "addp v15.16b, v15.16b, v26.16b\n" \
  "uadalp v" #sum ".8h, v12.16b\n" \
  "eor v11.16b, v0.16b, v" #a ".16b\n" \
  "eor v26.16b, v1.16b, v" #a ".16b\n" \
  "addp v10.16b, v10.16b, v8.16b\n" \
    "ldr d0, [%[w], #16*0]\n" \
    "ins v" #b ".d[1], x16\n" \
  "addp v9.16b, v9.16b, v14.16b\n" \
  "addp v14.16b, v13.16b, v15.16b\n" \
    "ldr d1, [%[w], #16*1]\n" \
  "eor v15.16b, v2.16b, v" #a ".16b\n" \
  "cnt v13.16b, v11.16b\n" \
    "sub %[n], %[n], #1\n" \
  "cnt v11.16b, v26.16b\n" \
    "ldr d2, [%[w], #16*2]\n" \
    "ins v0.d[1], x8\n" \
  "eor v26.16b, v3.16b, v" #a ".16b\n" \
    "cmp %[n], #1\n" \
  "addp v12.16b, v10.16b, v9.16b\n" \
    "ldr d3, [%[w], #16*3]\n" \
    "ins v1.d[1], x9\n" \
  "eor v10.16b, v4.16b, v" #a ".16b\n" \
  "eor v8.16b, v5.16b, v" #a ".16b\n" \
    "ldr d4, [%[w], #16*4]\n" \
    "ins v2.d[1], x10\n" \
  "eor v9.16b, v6.16b, v" #a ".16b\n" \
  "addp v13.16b, v13.16b, v11.16b\n" \
    "ldr d5, [%[w], #16*5]\n" \
    "ins v3.d[1], x11\n" \
  "eor v11.16b, v7.16b, v" #a ".16b\n" \
  "cnt v26.16b, v26.16b\n" \
    "ldr d6, [%[w], #16*6]\n" \
    "ins v4.d[1], x12\n" \
  "cnt v15.16b, v15.16b\n" \
  "addp v12.16b, v14.16b, v12.16b\n" \
    "ldr d7, [%[w], #16*7]\n" \
    "ins v5.d[1], x13\n" \
  "cnt v8.16b, v8.16b\n" \
    "add x17, %[w], #128\n" \
  "cnt v9.16b, v9.16b\n" \
    "ldr d" #a ", [%[patch], #16*" #ahead "]\n" \
    "ins v6.d[1], x14\n" \
  "cnt v10.16b, v10.16b\n" \
    "ldr x16, [%[patch], #16*" #ahead "+8]\n" \
    "csel %[w], x17, %[w], hi\n" \
  "cnt v14.16b, v11.16b\n" \
    "ins v7.d[1], x15\n"

// What the last two pixels have left to do.
#define DRAIN(before, last) \
  "addp v15.16b, v15.16b, v26.16b\n" \
  "uadalp v" #before ".8h, v12.16b\n" \
  "addp v10.16b, v10.16b, v8.16b\n" \
  "addp v9.16b, v9.16b, v14.16b\n" \
  "addp v14.16b, v13.16b, v15.16b\n" \
  "addp v12.16b, v10.16b, v9.16b\n" \
  "addp v12.16b, v14.16b, v12.16b\n" \
  "uadalp v" #last ".8h, v12.16b\n"

#define STEP_1(a, b) \
  HIGH(8) HIGH(9) HIGH(10) HIGH(11) HIGH(12) HIGH(13) HIGH(14) HIGH(15) \
  LAST_PIXEL(a, b, 16, 2)
#define STEP_2(a, b) \
  PIXEL(a, b, 16, 2, HIGH(8) HIGH(9) HIGH(10) HIGH(11), HIGH(12) HIGH(13) HIGH(14) HIGH(15)) \
  LAST_PIXEL(b, a, 17, 3)
#define STEP_3(a, b) \
  PIXEL(a, b, 17, 2, HIGH(8) HIGH(9), HIGH(10) HIGH(11)) \
  PIXEL(b, a, 18, 3, HIGH(12) HIGH(13), HIGH(14) HIGH(15)) \
  LAST_PIXEL(a, b, 16, 4)
#define STEP_4(a, b) \
  PIXEL(a, b, 18, 2, HIGH(8) HIGH(9), HIGH(10)) \
  PIXEL(b, a, 19, 3, HIGH(11), HIGH(12) HIGH(13)) \
  PIXEL(a, b, 16, 4, HIGH(14), HIGH(15)) \
  LAST_PIXEL(b, a, 17, 5)
#define STEP_5(a, b) \
  PIXEL(a, b, 19, 2, HIGH(8), HIGH(9)) \
  PIXEL(b, a, 20, 3, HIGH(10), HIGH(11)) \
  PIXEL(a, b, 16, 4, HIGH(12), HIGH(13)) \
  PIXEL(b, a, 17, 5, HIGH(14), HIGH(15)) \
  LAST_PIXEL(a, b, 18, 6)
#define STEP_6(a, b) \
  PIXEL(a, b, 20, 2, HIGH(8), HIGH(9)) \
  PIXEL(b, a, 21, 3, HIGH(10), HIGH(11)) \
  PIXEL(a, b, 16, 4, HIGH(12), HIGH(13)) \
  PIXEL(b, a, 17, 5, HIGH(14), HIGH(15)) \
  PIXEL(a, b, 18, 6, "", "") \
  LAST_PIXEL(b, a, 19, 7)
#define STEP_7(a, b) \
  PIXEL(a, b, 21, 2, HIGH(8), HIGH(9)) \
  PIXEL(b, a, 22, 3, HIGH(10), HIGH(11)) \
  PIXEL(a, b, 16, 4, HIGH(12), HIGH(13)) \
  PIXEL(b, a, 17, 5, HIGH(14), HIGH(15)) \
  PIXEL(a, b, 18, 6, "", "") \
  PIXEL(b, a, 19, 7, "", "") \
  LAST_PIXEL(a, b, 20, 8)
#define STEP_8(a, b) \
  PIXEL(a, b, 22, 2, HIGH(8), HIGH(9)) \
  PIXEL(b, a, 23, 3, HIGH(10), HIGH(11)) \
  PIXEL(a, b, 16, 4, HIGH(12), HIGH(13)) \
  PIXEL(b, a, 17, 5, HIGH(14), HIGH(15)) \
  PIXEL(a, b, 18, 6, "", "") \
  PIXEL(b, a, 19, 7, "", "") \
  PIXEL(a, b, 20, 8, "", "") \
  LAST_PIXEL(b, a, 21, 9)

// The first step's weights and pixels; no earlier pixels.
#define PROLOGUE \
  "ldr d24, [%[patch]]\n" "ldr x17, [%[patch], #8]\n" \
  "ldr d25, [%[patch], #16]\n" "ldr x16, [%[patch], #24]\n" \
  "ldr d0, [%[w]]\n"       HIGH(8)  "ins v24.d[1], x17\n" \
  "ldr d1, [%[w], #16]\n"  HIGH(9)  "ins v0.d[1], x8\n" \
  "ldr d2, [%[w], #32]\n"  HIGH(10) "ins v1.d[1], x9\n" \
  "ldr d3, [%[w], #48]\n"  HIGH(11) "ins v2.d[1], x10\n" \
  "ldr d4, [%[w], #64]\n"  HIGH(12) "ins v3.d[1], x11\n" \
  "ldr d5, [%[w], #80]\n"  HIGH(13) "ins v4.d[1], x12\n" \
  "ldr d6, [%[w], #96]\n"  HIGH(14) "ins v5.d[1], x13\n" \
  "ldr d7, [%[w], #112]\n" HIGH(15) "ins v6.d[1], x14\n" "ins v7.d[1], x15\n" \
  "add x17, %[w], #128\n" "cmp %[n], #1\n" "csel %[w], x17, %[w], hi\n" \
  "movi v8.16b, #0\n" "movi v9.16b, #0\n" "movi v10.16b, #0\n" "movi v11.16b, #0\n" \
  "movi v12.16b, #0\n" "movi v13.16b, #0\n" "movi v14.16b, #0\n" "movi v15.16b, #0\n" \
  "movi v26.16b, #0\n" \
  "movi v16.16b, #0\n" "movi v17.16b, #0\n" "movi v18.16b, #0\n" "movi v19.16b, #0\n" \
  "movi v20.16b, #0\n" "movi v21.16b, #0\n" "movi v22.16b, #0\n" "movi v23.16b, #0\n"

// With an odd number of pixels v24 and v25 change places from step to step.
#define EVEN_STEPS(pixels) \
  "1:\n" STEP_##pixels(24, 25) "add %[patch], %[patch], #16*" #pixels "\n" "cbnz %[n], 1b\n"
#define ODD_STEPS(pixels) \
  "1:\n" STEP_##pixels(24, 25) "add %[patch], %[patch], #16*" #pixels "\n" "cbz %[n], 2f\n" \
         STEP_##pixels(25, 24) "add %[patch], %[patch], #16*" #pixels "\n" "cbnz %[n], 1b\n" "2:\n"

#define PUT(sum) "str q" #sum ", [%[counts], #16*(" #sum "-16)]\n"
#define PUT_1 PUT(16)
#define PUT_2 PUT_1 PUT(17)
#define PUT_3 PUT_2 PUT(18)
#define PUT_4 PUT_3 PUT(19)
#define PUT_5 PUT_4 PUT(20)
#define PUT_6 PUT_5 PUT(21)
#define PUT_7 PUT_6 PUT(22)
#define PUT_8 PUT_7 PUT(23)

// clang-format on
