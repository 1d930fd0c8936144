// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: operation streams against the models of lib/tests/ops*.c
 *
 * The first byte chooses the zone and what is in it, each following seven bytes are one operation,
 * and any bytes are a valid stream. Each operation is compared with the model, and everything is
 * validated after every VALIDATE_EVERY. The explanation of an input is what oracle_test --replay
 * reads.
 */
#include "fuzz.h"
#include "ops.h"

#define OP_BYTES	7
#define OPS_MOST	1000
#define VALIDATE_EVERY	16
#define PAGES_MOST	1000	/* larger zones take the oracle's time, not a fuzzer's */

const char fuzz_name[] = "ops";

static const struct ops_config *choose_config(u8 byte)
{
	unsigned int i = byte % ops_nr_configs;

	while (ops_configs[i].nr_pages > PAGES_MOST)
		i = (i + 1) % ops_nr_configs;
	return &ops_configs[i];
}

static u32 number(const u8 *data)
{
	/* Twice, because some operations look at the upper half, too. */
	return (data[0] | data[1] << 8) * 0x10001u;
}

static u32 decode(const u8 *data, size_t size, struct op *ops)
{
	u32 nr;

	for (nr = 0; nr < OPS_MOST && size >= OP_BYTES; nr++) {
		ops[nr] = (struct op){
			.kind = data[0],
			.context = data[1] & 15,
			.cpu = data[1] >> 4,
			.flags = data[2] & 15,
			.nest = data[2] >> 5,
			.a = number(data + 3),
			.b = number(data + 5),
		};
		data += OP_BYTES;
		size -= OP_BYTES;
	}
	return nr;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct op ops[OPS_MOST];

	if (size)
		ops_run(choose_config(data[0]), ops, decode(data + 1, size - 1, ops),
			VALIDATE_EVERY);
	return 0;
}

void fuzz_explain(const u8 *data, size_t size)
{
	static struct op ops[OPS_MOST];
	char text[160];
	u32 nr, i;

	if (!size)
		return;
	printf("config %s\n", choose_config(data[0])->name);
	nr = decode(data + 1, size - 1, ops);
	for (i = 0; i < nr; i++) {
		ops_format(choose_config(data[0]), &ops[i], text, sizeof(text));
		printf("%s\n", text);
	}
}
