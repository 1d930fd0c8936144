/* SPDX-License-Identifier: GPL-2.0 */
/*
 * plot: a self-contained page of HTML with plots in SVG
 *
 * A thing has one color in all plots of a page, and a pattern, a dash or a mark that identifies it
 * without the color. Ticks are at 1, 2 or 5 times a power of ten of the unit. The legend is beside
 * the plot, and a caption below explains it.
 */
#ifndef MYALLOCCTL_PLOT_H
#define MYALLOCCTL_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The quantity of an axis, which determines the unit at its ticks. */
enum plot_unit {
	PLOT_NUMBER,
	PLOT_BYTES,	/* KiB, MiB, GiB */
	PLOT_RATE,	/* thousands and millions per second */
	PLOT_PERCENT,
	PLOT_INDEX,	/* 0 to 1 */
	PLOT_SECONDS,	/* seconds, minutes, hours */
};

/* Colors of holders of pages, which have patterns too; PLOT_ROW and above: of named rows. */
enum plot_color {
	PLOT_USERS, PLOT_SLABS, PLOT_CACHED, PLOT_OTHER, PLOT_FREE,
	PLOT_ROW,
};

#define PLOT_ROWS	8	/* colors of rows; the last one is for all other rows */

/*
 * @color: enum plot_color
 * @dashed: a second line in the color of another
 * @y: a value for each x, NAN where there is none
 */
struct plot_series {
	const char *name;
	int color;
	bool dashed;
	const double *y;
};

/*
 * @system: kernel, machine and date of the data, as plots are also shown without their page
 * @x: @nr values that grow, in seconds
 * @most: the end of the y axis, or 0 for that of the data
 */
struct plot {
	const char *title, *system, *caption, *y_name;
	enum plot_unit unit;
	const double *x;
	size_t nr;
	double most;
};

void plot_page_begin(FILE *file, const char *title, const char *below);
void plot_page_end(FILE *file);
void plot_text(FILE *file, const char *text);	/* with special characters of HTML escaped */
void plot_section(FILE *file, const char *title);
/* A table of names and values; the last name is NULL. */
void plot_table(FILE *file, const char *const (*row)[2]);

void plot_lines(FILE *file, const struct plot *p, const struct plot_series *s, int nr);
/* Areas on top of each other, the first at the bottom. */
void plot_stack(FILE *file, const struct plot *p, const struct plot_series *s, int nr);
/* Rows from bottom to top, @value[row * p->nr + i] from 0 to 1; dark is 1, blank is NAN. */
void plot_heat(FILE *file, const struct plot *p, const double *value, int rows);
/* A bar for each of @nr groups and series; p->x are the names of the groups, as whole numbers. */
void plot_bars(FILE *file, const struct plot *p, const struct plot_series *s, int nr);

/* The look of a thing in every plot. */
struct plot_look {
	const char *color;
	char mark;		/* see out/allocators.h */
	const char *dash;
};

/* The look of an allocator by its name; an unknown one gets look number @nr of those left. */
struct plot_look plot_allocator(const char *name, int nr);

/* The meaning of a mark in plot_dots(), or of a line in plot_shares(). */
struct plot_key {
	const char *name;
	struct plot_look look;
};

/*
 * A row for each of @rows names, with a mark for each key at @value[row * nr + key], NAN for none,
 * on an axis of powers of ten, whose name is p->y_name. @one: label of a line at 1, or NULL
 */
void plot_dots(FILE *file, const struct plot *p, const char *const *row, int rows,
	       const struct plot_key *key, int nr, const double *value, const char *one);

/*
 * The share of values that are at most x, on an axis of powers of ten, whose name is p->y_name.
 * @value: of each key @count[key] values, sorted
 */
void plot_shares(FILE *file, const struct plot *p, const struct plot_key *key, int nr,
		 const double *const *value, const size_t *count);

#endif /* MYALLOCCTL_PLOT_H */
