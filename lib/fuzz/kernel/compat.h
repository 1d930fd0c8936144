/* SPDX-License-Identifier: GPL-2.0 */
/* In place of mod/compat.h: there is one version of this kernel, and nothing to be exported to. */
#define MYALLOC_EXPORT_NS(symbol, ns)	extern typeof(symbol) symbol
