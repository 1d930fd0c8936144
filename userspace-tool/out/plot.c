// SPDX-License-Identifier: GPL-2.0
/*
 * plot: a self-contained page of HTML with plots in SVG
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "out/allocators.h"
#include "out/plot.h"

/* Sizes in CSS pixels: the whole plot, and the position of the axes. */
#define WIDTH	960
#define HEIGHT	300
#define LEFT	76
#define RIGHT	716
#define TOP	14
#define BOTTOM	252
#define LEGEND	(RIGHT + 20)

/*
 * Colors that are distinct also for people who see no red or no green: those of holders after Okabe
 * and Ito, those of rows after Tol's muted scheme, so that the two have none in common.
 */
static const char *const colors[PLOT_ROW + PLOT_ROWS] = {
	"#0072b2", "#009e73", "#e69f00", "#d55e00", "#e8e8e8",
	"#332288", "#cc6677", "#117733", "#aa4499", "#999933", "#882255", "#44aa99", "#777777",
};

static const char *const dashes[PLOT_ROWS] = {
	"", "9 3", "2 3", "9 3 2 3", "15 4", "5 5", "1 5", "",
};

#define MARKS	4	/* shapes at some points of a line */

struct scale {
	double from, to;	/* of the data */
	double unit;		/* of a tick's number */
	double step;		/* between ticks, in the data */
	const char *name;	/* of the unit */
};

/* ---- numbers ---- */

/* 1, 2 or 5 times a power of ten, so that @span has about @ticks of them. */
static double nice_step(double span, int ticks)
{
	double raw = span / ticks, power = pow(10, floor(log10(raw)));

	if (raw <= power)
		return power;
	return raw <= 2 * power ? 2 * power : raw <= 5 * power ? 5 * power : 10 * power;
}

struct unit {
	double size;
	const char *name;
};

static struct unit unit_of(enum plot_unit unit, double most)
{
	static const struct unit bytes[] = {
		{ 1024. * 1024 * 1024, "GiB" }, { 1024. * 1024, "MiB" }, { 1024, "KiB" }, { 1, "B" },
	};
	static const struct unit rates[] = { { 1e6, "M/s" }, { 1e3, "k/s" }, { 1, "/s" } };
	static const struct unit times[] = { { 7200, "h" }, { 120, "min" }, { 1, "s" } };
	static const struct unit numbers[] = { { 1, "" } };
	const struct unit *u = numbers;
	struct unit found;

	if (unit == PLOT_BYTES)
		u = bytes;
	else if (unit == PLOT_RATE)
		u = rates;
	else if (unit == PLOT_SECONDS)
		u = times;
	while (u->size > 1 && most < u->size)
		u++;
	found = *u;
	/* From two hours on in hours, from two minutes on in minutes. */
	if (unit == PLOT_SECONDS)
		found.size /= found.size > 1 ? 2 : 1;
	if (unit == PLOT_PERCENT)
		found.name = "%";
	return found;
}

static struct scale make_scale(enum plot_unit unit, double from, double to, int ticks)
{
	struct scale s = { .from = from, .to = to };
	struct unit u;

	if (!(s.to > s.from))
		s.to = s.from + 1;
	u = unit_of(unit, s.to);
	s.unit = u.size;
	s.name = u.name;
	s.step = nice_step((s.to - s.from) / u.size, ticks) * u.size;
	return s;
}

static double at_x(const struct scale *s, double x)
{
	return LEFT + (x - s->from) / (s->to - s->from) * (RIGHT - LEFT);
}

static double at_y(const struct scale *s, double y)
{
	return BOTTOM - (y - s->from) / (s->to - s->from) * (BOTTOM - TOP);
}

/* ---- the page ---- */

void plot_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", file);
		else if (*text == '>')
			fputs("&gt;", file);
		else if (*text == '&')
			fputs("&amp;", file);
		else if (*text == '"')
			fputs("&quot;", file);
		else
			fputc(*text, file);
	}
}

void plot_page_begin(FILE *file, const char *title, const char *below)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>", file);
	plot_text(file, title);
	fputs("</title>\n<style>\n"
	      "body{font:15px/1.45 system-ui,'DejaVu Sans',sans-serif;color:#222;background:#fff;"
	      "max-width:960px;margin:24px auto;padding:0 16px}\n"
	      "h1{font-size:22px;margin:0 0 4px}h2{font-size:18px;margin:32px 0 4px}"
	      "p.below{color:#555;margin:0 0 16px}\n"
	      "figure{margin:16px 0 28px}figure h3{font-size:15px;margin:0 0 4px}"
	      "h3 small{font-weight:normal;color:#555;margin-left:12px}"
	      "figcaption{color:#444;max-width:720px}\n"
	      "svg{width:100%;height:auto;display:block}"
	      "svg text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#333}\n"
	      ".grid{stroke:#ddd;stroke-width:1}.axis{stroke:#888;stroke-width:1}\n"
	      "table{border-collapse:collapse}td{padding:2px 16px 2px 0;vertical-align:top}"
	      "td:first-child{color:#555}\n"
	      "</style>\n</head>\n<body>\n<h1>", file);
	plot_text(file, title);
	fputs("</h1>\n<p class=\"below\">", file);
	plot_text(file, below);
	/* Patterns for areas, which all plots of the page use. */
	fputs("</p>\n<svg style=\"position:absolute;width:0;height:0\" aria-hidden=\"true\"><defs>\n",
	      file);
	fprintf(file,
		"<pattern id=\"p%d\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
		"<rect width=\"8\" height=\"8\" fill=\"%s\"/></pattern>\n", PLOT_USERS,
		colors[PLOT_USERS]);
	fprintf(file,
		"<pattern id=\"p%d\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
		"<rect width=\"8\" height=\"8\" fill=\"%s\"/><path d=\"M-2 2l4-4M0 8l8-8M6 10l4-4\" "
		"stroke=\"#fff\" stroke-width=\"1.5\"/></pattern>\n", PLOT_SLABS,
		colors[PLOT_SLABS]);
	fprintf(file,
		"<pattern id=\"p%d\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
		"<rect width=\"8\" height=\"8\" fill=\"%s\"/><circle cx=\"4\" cy=\"4\" r=\"1.6\" "
		"fill=\"#fff\"/></pattern>\n", PLOT_CACHED, colors[PLOT_CACHED]);
	fprintf(file,
		"<pattern id=\"p%d\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
		"<rect width=\"8\" height=\"8\" fill=\"%s\"/><path d=\"M4 0v8M0 4h8\" "
		"stroke=\"#fff\"/></pattern>\n", PLOT_OTHER, colors[PLOT_OTHER]);
	fprintf(file,
		"<pattern id=\"p%d\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
		"<rect width=\"8\" height=\"8\" fill=\"%s\"/></pattern>\n", PLOT_FREE,
		colors[PLOT_FREE]);
	fputs("</defs></svg>\n", file);
}

void plot_page_end(FILE *file)
{
	fputs("</body>\n</html>\n", file);
}

void plot_section(FILE *file, const char *title)
{
	fputs("<h2>", file);
	plot_text(file, title);
	fputs("</h2>\n", file);
}

void plot_table(FILE *file, const char *const (*row)[2])
{
	fputs("<table>\n", file);
	for (; (*row)[0]; row++) {
		fputs("<tr><td>", file);
		plot_text(file, (*row)[0]);
		fputs("</td><td>", file);
		plot_text(file, (*row)[1]);
		fputs("</td></tr>\n", file);
	}
	fputs("</table>\n", file);
}

/* ---- common parts of plots ---- */

static void begin(FILE *file, const struct plot *p, int height)
{
	fputs("<figure>\n<h3>", file);
	plot_text(file, p->title);
	fputs("<small>", file);
	plot_text(file, p->system);
	fprintf(file, "</small></h3>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
		height);
	plot_text(file, p->title);
	fputs(", ", file);
	plot_text(file, p->system);
	fputs("\">\n", file);
}

static void end(FILE *file, const struct plot *p)
{
	fputs("</svg>\n<figcaption>", file);
	plot_text(file, p->caption);
	fputs("</figcaption>\n</figure>\n", file);
}

static void text_at(FILE *file, double x, double y, const char *anchor, const char *text)
{
	fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	plot_text(file, text);
	fputs("</text>\n", file);
}

static void line_at(FILE *file, const char *class, double x1, double y1, double x2, double y2)
{
	fprintf(file, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
		class, x1, y1, x2, y2);
}

static void axis_x(FILE *file, const struct scale *s, const char *name)
{
	char text[64];
	double v;

	line_at(file, "axis", LEFT, BOTTOM, RIGHT, BOTTOM);
	for (v = ceil(s->from / s->step) * s->step; v <= s->to * (1 + 1e-9); v += s->step) {
		line_at(file, "axis", at_x(s, v), BOTTOM, at_x(s, v), BOTTOM + 4);
		snprintf(text, sizeof(text), "%g", round(v / s->step) * s->step / s->unit);
		text_at(file, at_x(s, v), BOTTOM + 18, "middle", text);
	}
	snprintf(text, sizeof(text), "%s, %s", name, s->name);
	text_at(file, (LEFT + RIGHT) / 2, BOTTOM + 38, "middle", text);
}

static void axis_y(FILE *file, const struct scale *s, const char *name)
{
	char text[64];
	double v;

	for (v = s->from; v <= s->to * (1 + 1e-9); v += s->step) {
		line_at(file, "grid", LEFT, at_y(s, v), RIGHT, at_y(s, v));
		snprintf(text, sizeof(text), "%g", round(v / s->step) * s->step / s->unit);
		text_at(file, LEFT - 8, at_y(s, v) + 4, "end", text);
	}
	snprintf(text, sizeof(text), "%s%s%s", name, *s->name ? ", " : "", s->name);
	fprintf(file, "<text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">",
		(TOP + BOTTOM) / 2);
	plot_text(file, text);
	fputs("</text>\n", file);
}

/* Names are cut so that they stay inside the picture. */
static void legend_name(FILE *file, double y, const char *name)
{
	char text[32];
	int len = strlen(name);

	snprintf(text, sizeof(text), len > 26 ? "%.25s…" : "%s", name);
	fputs("<g>", file);
	text_at(file, LEGEND + 40, y + 4, "start", text);
	if (len > 26) {
		fputs("<title>", file);
		plot_text(file, name);
		fputs("</title>", file);
	}
	fputs("</g>\n", file);
}

/* Of the data, with a little room above it. */
static double top_of(const struct plot *p, const struct plot_series *s, int nr)
{
	double most = 0;
	size_t i;
	int k;

	if (p->most > 0)
		return p->most;
	for (k = 0; k < nr; k++)
		for (i = 0; i < p->nr; i++)
			if (s[k].y[i] > most)
				most = s[k].y[i];
	return most > 0 ? most * 1.05 : 1;
}

static double last_x(const struct plot *p)
{
	return p->nr ? p->x[p->nr - 1] : 1;
}

/* ---- lines ---- */

/* A shape that identifies a line without its color. */
static void mark(FILE *file, int shape, double x, double y, const char *color)
{
	switch (shape % MARKS) {
	case 0:
		fprintf(file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", x, y,
			color);
		break;
	case 1:
		fprintf(file, "<rect x=\"%.1f\" y=\"%.1f\" width=\"6\" height=\"6\" fill=\"%s\"/>\n",
			x - 3, y - 3, color);
		break;
	case 2:
		fprintf(file, "<path d=\"M%.1f %.1fl4 7h-8z\" fill=\"%s\"/>\n", x, y - 4, color);
		break;
	default:
		fprintf(file, "<path d=\"M%.1f %.1fl4 4-4 4-4-4z\" fill=\"%s\"/>\n", x, y - 4,
			color);
	}
}

static const char *dash_of(const struct plot_series *s)
{
	if (s->color >= PLOT_ROW)
		return dashes[s->color - PLOT_ROW];
	return s->dashed ? "6 4" : "";
}

static int shape_of(const struct plot_series *s)
{
	return s->color >= PLOT_ROW ? s->color - PLOT_ROW : s->color + s->dashed;
}

static void put_curve(FILE *file, const struct plot *p, const struct plot_series *s,
		      const struct scale *x, const struct scale *y)
{
	size_t i, every = p->nr / 6 ? p->nr / 6 : 1;
	bool open = false;

	fprintf(file, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\" "
		"stroke-dasharray=\"%s\" stroke-linejoin=\"round\" d=\"", colors[s->color],
		dash_of(s));
	for (i = 0; i < p->nr; i++) {
		if (isnan(s->y[i])) {
			open = false;
			continue;
		}
		fprintf(file, "%c%.1f %.1f", open ? 'L' : 'M', at_x(x, p->x[i]),
			at_y(y, s->y[i] < y->to ? s->y[i] : y->to));
		open = true;
	}
	fputs("\"/>\n", file);
	for (i = shape_of(s) * every / PLOT_ROWS; i < p->nr; i += every)
		if (!isnan(s->y[i]))
			mark(file, shape_of(s), at_x(x, p->x[i]),
			     at_y(y, s->y[i] < y->to ? s->y[i] : y->to), colors[s->color]);
}

void plot_lines(FILE *file, const struct plot *p, const struct plot_series *s, int nr)
{
	struct scale x = make_scale(PLOT_SECONDS, p->nr ? p->x[0] : 0, last_x(p), 8);
	struct scale y = make_scale(p->unit, 0, top_of(p, s, nr), 5);
	int k;

	begin(file, p, HEIGHT);
	axis_y(file, &y, p->y_name);
	axis_x(file, &x, "time");
	for (k = 0; k < nr; k++) {
		double at = TOP + 10 + 22 * k;

		put_curve(file, p, &s[k], &x, &y);
		fprintf(file, "<path d=\"M%d %.1fh30\" stroke=\"%s\" stroke-width=\"1.8\" "
			"stroke-dasharray=\"%s\"/>\n", LEGEND, at, colors[s[k].color],
			dash_of(&s[k]));
		mark(file, shape_of(&s[k]), LEGEND + 15, at, colors[s[k].color]);
		legend_name(file, at, s[k].name);
	}
	end(file, p);
}

/* ---- areas ---- */

void plot_stack(FILE *file, const struct plot *p, const struct plot_series *s, int nr)
{
	struct scale x = make_scale(PLOT_SECONDS, p->nr ? p->x[0] : 0, last_x(p), 8);
	struct scale y = make_scale(p->unit, 0, top_of(p, s, nr), 5);
	double *below = xcalloc(p->nr + 1, sizeof(*below));
	size_t i;
	int k;

	begin(file, p, HEIGHT);
	for (k = 0; k < nr; k++) {
		fprintf(file, "<path fill=\"url(#p%d)\" stroke=\"#fff\" stroke-width=\".5\" d=\"",
			s[k].color);
		for (i = 0; i < p->nr; i++)
			fprintf(file, "%c%.1f %.1f", i ? 'L' : 'M', at_x(&x, p->x[i]),
				at_y(&y, below[i]));
		for (i = p->nr; i-- > 0; ) {
			below[i] += s[k].y[i];
			fprintf(file, "L%.1f %.1f", at_x(&x, p->x[i]), at_y(&y, below[i]));
		}
		fputs("z\"/>\n", file);
		/* The legend has the order of the plot: the first at the bottom. */
		fprintf(file, "<rect x=\"%d\" y=\"%d\" width=\"30\" height=\"14\" fill=\"url(#p%d)\" "
			"stroke=\"#999\" stroke-width=\".5\"/>\n", LEGEND, TOP + 3 + 22 * (nr - 1 - k),
			s[k].color);
		legend_name(file, TOP + 10 + 22 * (nr - 1 - k), s[k].name);
	}
	axis_y(file, &y, p->y_name);
	axis_x(file, &x, "time");
	end(file, p);
	free(below);
}

/* ---- heat ---- */

/* From nearly white to dark blue; darker means more, also in grey. */
static void heat_color(char text[8], double value)
{
	static const double from[3] = { 247, 251, 255 }, to[3] = { 8, 32, 92 };
	double v = value < 0 ? 0 : value > 1 ? 1 : value;

	snprintf(text, 8, "#%02x%02x%02x", (int)(from[0] + v * (to[0] - from[0])) & 0xff,
		 (int)(from[1] + v * (to[1] - from[1])) & 0xff,
		 (int)(from[2] + v * (to[2] - from[2])) & 0xff);
}

void plot_heat(FILE *file, const struct plot *p, const double *value, int rows)
{
	struct scale x = make_scale(PLOT_SECONDS, p->nr ? p->x[0] : 0, last_x(p), 8);
	double height = (double)(BOTTOM - TOP) / rows, width = (double)(RIGHT - LEFT) / p->nr;
	char color[8], text[32];
	size_t i, end_of;
	int k;

	begin(file, p, HEIGHT);
	for (k = 0; k < rows; k++) {
		const double *v = value + k * p->nr;

		/* Neighbours of one color are one rectangle. */
		for (i = 0; i < p->nr; i = end_of) {
			for (end_of = i + 1; end_of < p->nr && v[end_of] == v[i]; end_of++)
				;
			if (isnan(v[i]))
				continue;
			heat_color(color, v[i]);
			fprintf(file, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" "
				"fill=\"%s\"/>\n", LEFT + i * width, BOTTOM - (k + 1) * height,
				(end_of - i) * width + .3, height, color);
		}
		snprintf(text, sizeof(text), "%d", k);
		text_at(file, LEFT - 8, BOTTOM - (k + .5) * height + 4, "end", text);
	}
	for (k = 0; k <= 10; k++) {
		heat_color(color, k / 10.0);
		fprintf(file, "<rect x=\"%d\" y=\"%d\" width=\"30\" height=\"14\" fill=\"%s\" "
			"stroke=\"#999\" stroke-width=\".5\"/>\n", LEGEND, TOP + 3 + 14 * (10 - k),
			color);
		if (k % 5)
			continue;
		snprintf(text, sizeof(text), "%g", k / 10.0);
		legend_name(file, TOP + 10 + 14 * (10 - k), text);
	}
	axis_x(file, &x, "time");
	fprintf(file, "<text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">",
		(TOP + BOTTOM) / 2);
	plot_text(file, p->y_name);
	fputs("</text>\n", file);
	end(file, p);
}

/* ---- bars ---- */

void plot_bars(FILE *file, const struct plot *p, const struct plot_series *s, int nr)
{
	struct scale y = make_scale(p->unit, 0, top_of(p, s, nr), 5);
	double group = (double)(RIGHT - LEFT) / (p->nr ? p->nr : 1), width = group * .8 / nr;
	char text[32];
	size_t i;
	int k;

	begin(file, p, HEIGHT);
	axis_y(file, &y, p->y_name);
	for (i = 0; i < p->nr; i++) {
		for (k = 0; k < nr; k++) {
			double v = s[k].y[i];

			if (isnan(v))
				continue;
			fprintf(file, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
				"fill=\"url(#p%d)\"/>\n", LEFT + i * group + group * .1 + k * width,
				at_y(&y, v), width, BOTTOM - at_y(&y, v), s[k].color);
		}
		snprintf(text, sizeof(text), "%g", p->x[i]);
		text_at(file, LEFT + (i + .5) * group, BOTTOM + 18, "middle", text);
	}
	for (k = 0; k < nr; k++) {
		fprintf(file, "<rect x=\"%d\" y=\"%d\" width=\"30\" height=\"14\" "
			"fill=\"url(#p%d)\"/>\n", LEGEND, TOP + 3 + 22 * k, s[k].color);
		legend_name(file, TOP + 10 + 22 * k, s[k].name);
	}
	line_at(file, "axis", LEFT, BOTTOM, RIGHT, BOTTOM);
	text_at(file, (LEFT + RIGHT) / 2, BOTTOM + 38, "middle", "order of a block");
	end(file, p);
}

/* ---- single values: dots, shares ---- */

struct plot_look plot_allocator(const char *name, int nr)
{
	static const struct {
		const char *name;
		struct plot_look look;
	} known[] = {
#define ALLOCATOR(word, color, mark, dash) { word, { color, mark, dash } },
		ALLOCATORS(ALLOCATOR)
#undef ALLOCATOR
	};
	static const char marks[] = "sD^vPX*o";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].name, name))
			return known[i].look;
	return (struct plot_look){ colors[PLOT_ROW + nr % PLOT_ROWS], marks[nr % PLOT_ROWS],
				   dashes[nr % PLOT_ROWS] };
}

static void look_mark(FILE *file, const struct plot_look *look, double x, double y)
{
	static const struct {
		char mark;
		const char *path;
	} paths[] = {
		{ 's', "m-4 -4h8v8h-8z" }, { '^', "m0 -5l5 9h-10z" }, { 'v', "m0 5l5 -9h-10z" },
		{ 'D', "m0 -5l5 5-5 5-5-5z" }, { 'P', "m-1.5 -5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z" },
		{ 'X', "m-4.5 -2.5l2-2 2.5 2.5 2.5-2.5 2 2-2.5 2.5 2.5 2.5-2 2-2.5-2.5-2.5 2.5-2-2 2.5-2.5z" },
		{ '*', "m0 -6l1.5 4.2h4.5l-3.6 2.7 1.4 4.3-3.8-2.6-3.8 2.6 1.4-4.3-3.6-2.7h4.5z" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths) && paths[i].mark != look->mark; i++)
		;
	if (i < ARRAY_SIZE(paths))
		fprintf(file, "<path d=\"M%.1f %.1f%s\" fill=\"%s\"/>\n", x, y, paths[i].path,
			look->color);
	else
		fprintf(file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"%s\"/>\n", x, y,
			look->color);
}

/* An axis of powers of ten, which ends at 1, 2 or 5 times one of them. */
struct powers {
	double from, to;
	int left;
};

static double nice_end(double value, bool up)
{
	static const double steps[] = { 1, 2, 5, 10 };
	double power = pow(10, floor(log10(value)));
	int i;

	if (up) {
		for (i = 0; steps[i] * power < value * (1 - 1e-9); i++)
			;
	} else {
		for (i = 3; steps[i] * power > value * (1 + 1e-9); i--)
			;
	}
	return steps[i] * power;
}

static struct powers make_powers(double least, double most, int left)
{
	struct powers p = { nice_end(least, false), nice_end(most, true), left };

	if (!(p.to > p.from)) {
		p.from /= 2;
		p.to *= 2;
	}
	return p;
}

static double at_power(const struct powers *p, double x)
{
	x = x < p->from ? p->from : x > p->to ? p->to : x;
	return p->left + log(x / p->from) / log(p->to / p->from) * (RIGHT - p->left);
}

/* Ticks at 1, 2 and 5 times the powers, or at the powers alone where these are many. */
static void axis_powers(FILE *file, const struct powers *p, int bottom, const char *name)
{
	static const double steps[] = { 1, 2, 5 };
	double power, x;
	char text[32];
	int i, each = p->to / p->from > 2e4 ? 3 : 1;

	for (power = pow(10, floor(log10(p->from) + 1e-9)); power <= p->to * (1 + 1e-9); power *= 10) {
		for (i = 0; i < 3; i += each) {
			x = power * steps[i];
			if (x < p->from * (1 - 1e-9) || x > p->to * (1 + 1e-9))
				continue;
			line_at(file, "grid", at_power(p, x), TOP, at_power(p, x), bottom);
			if (x < 1e6)
				snprintf(text, sizeof(text), "%.12g", x);
			else
				snprintf(text, sizeof(text), "%.12gM", x / 1e6);
			text_at(file, at_power(p, x), bottom + 18, "middle", text);
		}
	}
	line_at(file, "axis", p->left, bottom, RIGHT, bottom);
	text_at(file, (p->left + RIGHT) / 2., bottom + 38, "middle", name);
}

#define ROW_HEIGHT	18
#define ROW_NAME	(LEFT + 150)	/* of the rows' names, which are at the left */

void plot_dots(FILE *file, const struct plot *p, const char *const *row, int rows,
	       const struct plot_key *key, int nr, const double *value, const char *one)
{
	int bottom = TOP + rows * ROW_HEIGHT + 6, legend = TOP + 22 * (nr + !!one) + 8, i, k;
	double least = INFINITY, most = 0, from, to, v, y;
	struct powers x;

	for (i = 0; i < rows * nr; i++) {
		if (!(value[i] > 0))
			continue;
		least = value[i] < least ? value[i] : least;
		most = value[i] > most ? value[i] : most;
	}
	if (!(most > 0))
		return;
	if (one) {
		least = least > 1 ? 1 : least;
		most = most < 1 ? 1 : most;
	}
	x = make_powers(least, most, ROW_NAME);
	begin(file, p, bottom + 48 > legend ? bottom + 48 : legend);
	axis_powers(file, &x, bottom, p->y_name);
	if (one)
		fprintf(file, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#222\" "
			"stroke-width=\"1.5\"/>\n", at_power(&x, 1), TOP, at_power(&x, 1), bottom);
	for (i = 0; i < rows; i++) {
		y = TOP + (i + .5) * ROW_HEIGHT;
		text_at(file, x.left - 8, y + 4, "end", row[i]);
		from = INFINITY;
		to = 0;
		for (k = 0; k < nr; k++) {
			v = value[i * nr + k];
			from = v > 0 && v < from ? v : from;
			to = v > to ? v : to;
		}
		if (!(to > 0))
			continue;
		fprintf(file, "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#bbb\"/>\n", at_power(&x, from), y,
			at_power(&x, to));
		for (k = 0; k < nr; k++)
			if (value[i * nr + k] > 0)
				look_mark(file, &key[k].look, at_power(&x, value[i * nr + k]), y);
	}
	for (k = 0; k < nr; k++) {
		look_mark(file, &key[k].look, LEGEND + 15, TOP + 10 + 22 * k);
		legend_name(file, TOP + 10 + 22 * k, key[k].name);
	}
	if (one) {
		fprintf(file, "<path d=\"M%d %dv14\" stroke=\"#222\" stroke-width=\"1.5\"/>\n", LEGEND + 15,
			TOP + 3 + 22 * nr);
		legend_name(file, TOP + 10 + 22 * nr, one);
	}
	end(file, p);
}

void plot_shares(FILE *file, const struct plot *p, const struct plot_key *key, int nr,
		 const double *const *value, const size_t *count)
{
	struct scale y = make_scale(PLOT_PERCENT, 0, 100, 5);
	double least = INFINITY, most = 0, up;
	struct powers x;
	size_t i, every;
	int k;

	for (k = 0; k < nr; k++) {
		if (!count[k])
			continue;
		least = value[k][0] < least ? value[k][0] : least;
		most = value[k][count[k] - 1] > most ? value[k][count[k] - 1] : most;
	}
	if (!(most > 0))
		return;
	x = make_powers(least > 0 ? least : 1e-3, most, LEFT);
	begin(file, p, HEIGHT);
	axis_y(file, &y, "share");
	axis_powers(file, &x, BOTTOM, p->y_name);
	for (k = 0; k < nr; k++) {
		double at = TOP + 10 + 22 * k;

		fprintf(file, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\" "
			"stroke-dasharray=\"%s\" d=\"M%.1f %d", key[k].look.color, key[k].look.dash,
			count[k] ? at_power(&x, value[k][0]) : x.left, BOTTOM);
		for (i = 0; i < count[k]; i++) {
			/* Equal values are one step. */
			if (i + 1 < count[k] && value[k][i + 1] == value[k][i])
				continue;
			up = at_y(&y, (i + 1) * 100. / count[k]);
			fprintf(file, "H%.1fV%.1f", at_power(&x, value[k][i]), up);
		}
		fputs("\"/>\n", file);
		every = count[k] / 5 ? count[k] / 5 : 1;
		for (i = every / 2; i < count[k]; i += every)
			look_mark(file, &key[k].look, at_power(&x, value[k][i]),
				  at_y(&y, (i + 1) * 100. / count[k]));
		fprintf(file, "<path d=\"M%d %.1fh30\" stroke=\"%s\" stroke-width=\"1.8\" "
			"stroke-dasharray=\"%s\"/>\n", LEGEND, at, key[k].look.color, key[k].look.dash);
		look_mark(file, &key[k].look, LEGEND + 15, at);
		legend_name(file, at, key[k].name);
	}
	end(file, p);
}
