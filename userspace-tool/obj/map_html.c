// SPDX-License-Identifier: GPL-2.0
/*
 * map_html: memory as a picture in a browser
 *
 * The page contains the figures as JSON and a short script that draws them; it loads no files.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/mem.h"
#include "host/system.h"
#include "obj/kinds.h"
#include "obj/map_html.h"

static const char head[] =
"<!DOCTYPE html>\n"
"<html lang=\"en\"><head><meta charset=\"utf-8\"><title>myalloc: map of memory</title>\n"
"<style>\n"
"body{font:14px sans-serif;margin:1em;max-width:1100px}\n"
"canvas{width:100%;image-rendering:pixelated;border:1px solid #888;cursor:crosshair}\n"
"#legend span{display:inline-block;margin:2px 14px 2px 0}\n"
"#legend i{display:inline-block;width:1.4em;height:1em;border:1px solid #888;margin-right:4px;"
"vertical-align:middle;font:bold 11px monospace;text-align:center;color:#000;text-shadow:0 0 3px #fff}\n"
"table{border-collapse:collapse}td{padding:1px 10px 1px 0}\n"
"</style></head><body>\n"
"<h1 id=\"title\"></h1>\n"
"<p>One square is one cell, read from left to right and from top to bottom, in the colour of what "
"most of its pages are. Look for small free blocks between others (light grey): they are the "
"fragmentation. Pale green slabs are mostly empty. Point at a square to see its figures.</p>\n"
"<canvas id=\"map\"></canvas><p id=\"legend\"></p><table id=\"cell\"></table>\n"
"<script>\nconst map = ";

static const char tail[] =
";\n"
"const columns = 128, size = 8, canvas = document.getElementById('map');\n"
"const rows = Math.ceil(map.cells.length / columns);\n"
"canvas.width = columns * size; canvas.height = rows * size;\n"
"const draw = canvas.getContext('2d');\n"
"document.getElementById('title').textContent = 'Memory of myalloc on ' + map.kernel + ' (' + "
"map.machine + '), ' + map.time;\n"
"map.cells.forEach((cell, i) => {\n"
"	draw.fillStyle = map.shades[cell.shade].color;\n"
"	draw.fillRect(i % columns * size, Math.floor(i / columns) * size, size - 1, size - 1);\n"
"});\n"
"const used = new Set(map.cells.map(cell => cell.shade));\n"
"map.shades.forEach((shade, i) => {\n"
"	if (!used.has(i)) return;\n"
"	const item = document.createElement('span'), box = document.createElement('i');\n"
"	box.style.background = shade.color; box.textContent = shade.letter;\n"
"	item.append(box, shade.label);\n"
"	document.getElementById('legend').append(item);\n"
"});\n"
"canvas.onmousemove = event => {\n"
"	const box = canvas.getBoundingClientRect();\n"
"	const x = Math.floor((event.clientX - box.left) / box.width * columns);\n"
"	const y = Math.floor((event.clientY - box.top) / box.height * rows);\n"
"	const i = y * columns + x, cell = map.cells[i], table = document.getElementById('cell');\n"
"	if (!cell) return;\n"
"	const first = map.first + i * map.cell_pages;\n"
"	table.replaceChildren();\n"
"	const row = (name, value) => {\n"
"		const line = table.insertRow();\n"
"		line.insertCell().textContent = name; line.insertCell().textContent = value;\n"
"	};\n"
"	row('pages', first + ' to ' + (first + map.cell_pages - 1) + ', from ' +\n"
"		(first * map.page_bytes / 1048576).toFixed(2) + ' MiB');\n"
"	for (const kind in cell.pages) row(kind, cell.pages[kind] + ' pages');\n"
"	if ('filled' in cell) row('slots in use', cell.filled / 10 + ' %');\n"
"	if ('order' in cell) row('largest free block', 'order ' + cell.order);\n"
"	row('look closer', 'myallocctl map --range ' + first + '+' + map.cell_pages);\n"
"};\n"
"</script></body></html>\n";

static void add(struct json_object *to, const char *key, struct json_object *value)
{
	json_object_object_add(to, key, value);
}

static void add_text(struct json_object *to, const char *key, const char *text)
{
	add(to, key, json_object_new_string(text ? text : "unknown"));
}

static struct json_object *cell_json(const struct myalloc_cell *cell)
{
	struct json_object *j = json_object_new_object(), *pages = json_object_new_object();
	const struct shade *s;

	add(j, "shade", json_object_new_int(shade_of(cell) - shades));
	for (s = shades; s->key; s++)
		if (cell->pages[s->kind])
			add(pages, s->key, json_object_new_int64(cell->pages[s->kind]));
	add(j, "pages", pages);
	if (cell->pages[MYALLOC_IS_SLAB])
		add(j, "filled", json_object_new_int64(cell->filled /
						       cell->pages[MYALLOC_IS_SLAB]));
	if (cell->largest)
		add(j, "order", json_object_new_int64(cell->largest - 1));
	return j;
}

static struct json_object *shades_json(void)
{
	struct json_object *list = json_object_new_array(), *j;
	char letter[2] = "";
	const struct shade *s;

	for (s = shades; s->key; s++) {
		j = json_object_new_object();
		letter[0] = s->letter;
		add_text(j, "label", s->label);
		add_text(j, "letter", letter);
		add_text(j, "color", s->web);
		json_object_array_add(list, j);
	}
	return list;
}

static void add_system(struct json_object *to)
{
	time_t now = time(NULL);
	char text[32] = "";
	struct system sys;
	struct tm tm;

	system_read(&sys);
	add_text(to, "kernel", sys.kernel);
	add_text(to, "machine", sys.machine);
	system_free(&sys);
	if (gmtime_r(&now, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	add_text(to, "time", text);
}

/* No "</script>" in a string may end the script. */
static char *script_text(struct json_object *j)
{
	const char *text = json_object_to_json_string_ext(j, JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t size;
	char *safe;
	FILE *file = xmemstream(&safe, &size);

	for (; *text; text++) {
		if (*text == '<')
			fputs("\\u003c", file);
		else
			fputc(*text, file);
	}
	xmemstream_end(file);
	return safe;
}

char *map_html(const struct myalloc_cell *cells, __u32 nr, __u64 first, __u64 size,
	       __u32 page_bytes)
{
	struct json_object *map = json_object_new_object(), *list = json_object_new_array();
	char *text, *page;
	__u32 i;

	add_system(map);
	add(map, "first", json_object_new_uint64(first));
	add(map, "cell_pages", json_object_new_uint64(size));
	add(map, "page_bytes", json_object_new_uint64(page_bytes));
	add(map, "shades", shades_json());
	for (i = 0; i < nr; i++)
		json_object_array_add(list, cell_json(&cells[i]));
	add(map, "cells", list);
	text = script_text(map);
	page = xasprintf("%s%s%s", head, text, tail);
	free(text);
	json_object_put(map);
	return page;
}
