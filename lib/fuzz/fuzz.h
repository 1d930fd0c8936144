/* SPDX-License-Identifier: GPL-2.0 */
/* What each fuzz target gives, to libFuzzer and to the replay of a corpus alike. */
#ifndef MYALLOC_FUZZ_H
#define MYALLOC_FUZZ_H

#include "env.h"

/* One input; whatever it finds wrong ends the program. Returns 0. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Writes to stdout what an input means. */
void fuzz_explain(const u8 *data, size_t size);

/* The target's name. */
extern const char fuzz_name[];

#endif /* MYALLOC_FUZZ_H */
