// SPDX-License-Identifier: GPL-2.0
/*
 * doctor_finding: one line of the doctor's result
 */
#include "obj/doctor_parts.h"
#include "out/out.h"

static const struct {
	const char *word;
	enum out_unit unit;
} outcomes[] = {
	[OK] = { "ok", OUT_GOOD },
	[NOTE] = { "note", OUT_WARN },
	[PROBLEM] = { "problem", OUT_BAD },
	[SKIPPED] = { "skipped", OUT_PLAIN },
};

void doctor_finding(struct doctor *doc, const char *check, enum doctor_outcome outcome,
		    const char *sentence, const char *mend)
{
	struct out *o = doc->o;

	doc->problems += outcome == PROBLEM;
	out_item(o);
	out_str(o, "outcome", "outcome", outcomes[outcome].unit,
		outcomes[outcome].word);
	out_str(o, "check", NULL, OUT_PLAIN, check);
	out_str(o, "sentence", "finding", OUT_PLAIN, sentence);
	if (mend)
		out_str(o, "mend", "", OUT_PLAIN, mend);
	else
		out_null(o, "mend", "");
	out_end(o);
}
