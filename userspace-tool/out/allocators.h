/* SPDX-License-Identifier: GPL-2.0 */
/*
 * allocators: the color and the mark of each allocator, the same in every plot
 *
 * ALLOCATOR(name, color, mark, dash): the name of a side of a benchmark; a color of Okabe and Ito
 * or of Tol; a mark (o circle, s square, ^ and v triangles, D diamond, P cross, X, * star),
 * and the dashes of its line, which identify it without the color as well. No two have the same
 * color or the same mark and dash. vm/bench/plot.py reads this file, too.
 */
#define ALLOCATORS(ALLOCATOR)				\
	ALLOCATOR("myalloc", "#0072b2", 'o', "")	\
	ALLOCATOR("slub", "#d55e00", 's', "9 3")	\
	ALLOCATOR("slub-sheaf64", "#cc79a7", '^', "2 3") \
	ALLOCATOR("kmalloc", "#009e73", 'D', "9 3 2 3")	\
	ALLOCATOR("mempool", "#e69f00", 'v', "15 4")	\
	ALLOCATOR("alloc_pages", "#882255", 'P', "5 5")	\
	ALLOCATOR("pages_bulk", "#999933", 'X', "1 4")	\
	ALLOCATOR("gen_pool", "#332288", '*', "12 3 3 3") \
	ALLOCATOR("page_frag", "#117733", '^', "5 2")	\
	ALLOCATOR("objpool", "#aa4499", 'v', "2 2")	\
	ALLOCATOR("kfifo", "#44aa99", 'D', "4 4")	\
	ALLOCATOR("myalloc-percpu", "#56b4e9", 'o', "6 2") \
	ALLOCATOR("per-cpu-array", "#777777", 's', "2 4") \
	ALLOCATOR("no-allocator", "#444444", 'X', "3 3")	\
	ALLOCATOR("glibc", "#cc6677", 's', "8 3")	\
	ALLOCATOR("jemalloc", "#ddaa33", '^', "3 2")	\
	ALLOCATOR("tcmalloc", "#004d40", 'D', "8 2 2 2") \
	ALLOCATOR("mimalloc", "#5e3c99", 'v', "12 4")	\
	ALLOCATOR("by-address", "#88ccee", 'P', "4 2")	\
	ALLOCATOR("heap", "#661100", '*', "10 2 2 2")
