/* SPDX-License-Identifier: GPL-2.0 */
/* Validation of contracts. */
#ifndef MYALLOC_CONTRACT_CHECK_H
#define MYALLOC_CONTRACT_CHECK_H

#include "client/contract_types.h"
#include "page/frame.h"
#include "zone/finding.h"

/**
 * myalloc_contract_tag() - the tag of the blocks of a line in the parent zone
 * @part: the line
 *
 * Context: any.
 * Return: the tag of the first frame of each block.
 */
static inline u32 myalloc_contract_tag(const struct myalloc_contract_part *part)
{
	return myalloc_frame_tag(MYALLOC_FRAME_CONTRACT, part->plan.order, part->id);
}

u64 myalloc_contract_digest(const struct myalloc_contract_part *part);
void myalloc_contract_check(struct myalloc_contract *c, struct myalloc_validation *v);

#endif /* MYALLOC_CONTRACT_CHECK_H */
