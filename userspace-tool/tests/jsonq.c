// SPDX-License-Identifier: GPL-2.0
/*
 * jsonq: checks that a file is JSON and nothing else, and prints a member of it
 *
 *	jsonq FILE		the number of documents in it
 *	jsonq FILE POINTER	what POINTER (RFC 6901) names in the last document
 *
 * Exits 1 if a byte of the file is not JSON, 2 if POINTER names nothing.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX	(4u << 20)

static char text[FILE_MAX + 1];

int main(int argc, char **argv)
{
	struct json_object *doc, *last = NULL, *at;
	struct json_tokener *tok;
	size_t len, pos = 0;
	FILE *file;
	int nr = 0;

	if (argc < 2 || argc > 3)
		return 2;
	file = fopen(argv[1], "re");
	if (!file)
		return 1;
	len = fread(text, 1, FILE_MAX, file);
	fclose(file);
	tok = json_tokener_new();
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
			       JSON_TOKENER_VALIDATE_UTF8 |
			       JSON_TOKENER_ALLOW_TRAILING_CHARS);
	while (pos + strspn(text + pos, " \n") < len) {
		json_tokener_reset(tok);
		doc = json_tokener_parse_ex(tok, text + pos, len - pos);
		if (json_tokener_get_error(tok) != json_tokener_success ||
		    json_object_get_type(doc) != json_type_object) {
			fprintf(stderr, "jsonq: %s at byte %zu of %s\n",
				json_tokener_error_desc(json_tokener_get_error(tok)),
				pos, argv[1]);
			json_object_put(doc);
			json_object_put(last);
			json_tokener_free(tok);
			return 1;
		}
		pos += json_tokener_get_parse_end(tok);
		json_object_put(last);
		last = doc;
		nr++;
	}
	json_tokener_free(tok);
	if (argc == 2) {
		printf("%d\n", nr);
		json_object_put(last);
		return nr ? 0 : 1;
	}
	if (!last || json_pointer_get(last, argv[2], &at)) {
		json_object_put(last);
		return 2;
	}
	printf("%s\n", at ? json_object_get_string(at) : "null");
	json_object_put(last);
	return 0;
}
