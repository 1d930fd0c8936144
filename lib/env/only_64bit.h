/* SPDX-License-Identifier: GPL-2.0 */
/* Included first by both environments, so that this is what the build says. */
#ifndef MYALLOC_ONLY_64BIT_H
#define MYALLOC_ONLY_64BIT_H

#if __SIZEOF_POINTER__ != 8
#error "myalloc needs a 64-bit machine: it compares and exchanges 64 bits at once, also in NMI, and multiplies offsets in 64 bits"
#endif

#endif /* MYALLOC_ONLY_64BIT_H */
