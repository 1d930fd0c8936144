/* SPDX-License-Identifier: GPL-2.0 */
/*
 * contract_words: lines of a contract as people write them
 */
#ifndef MYALLOCCTL_CONTRACT_WORDS_H
#define MYALLOCCTL_CONTRACT_WORDS_H

#include <linux/types.h>
#include <stddef.h>

#include "myalloc.h"

#define LINE_WORDS "pages:M@ORDERS, extents:M@SIZES or objects:NxSIZE, each with +E for NMIs, as pages:4096@0,9, extents:512@5,12 or objects:10000x256+4"

/*
 * Reads a line. Returns NULL, or a message. Orders and sizes are lists of numbers and ranges: 0,9
 * or 0-3.
 */
const char *contract_parse(const char *word, struct myalloc_line *line);

/* A line as text, "pages:4096@0,9"; @line is one that the module accepted. */
void contract_word(const struct myalloc_line *line, char *buf, size_t size);
/* A set of orders: "0,9", "0-3". */
void contract_orders(__u32 orders, char *buf, size_t size);

#endif /* MYALLOCCTL_CONTRACT_WORDS_H */
