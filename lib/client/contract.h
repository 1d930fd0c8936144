/* SPDX-License-Identifier: GPL-2.0 */
/* Contracts as fronts; users include myalloc.h. */
#ifndef MYALLOC_CONTRACT_H
#define MYALLOC_CONTRACT_H

#include "client/contract_types.h"

extern const struct myalloc_front_kind myalloc_contract_kind;

/**
 * myalloc_contract_of() - the contract that a front is part of
 * @front: the front, of the kind myalloc_contract_kind
 *
 * Context: any.
 * Return: the contract.
 */
static inline struct myalloc_contract *myalloc_contract_of(struct myalloc_front *front)
{
	return container_of(front, struct myalloc_contract, front);
}

/**
 * myalloc_contract_part_of() - the line that a limit belongs to
 * @limit: the limit
 *
 * Context: any.
 * Return: the line.
 */
static inline struct myalloc_contract_part *myalloc_contract_part_of(struct myalloc_limit *limit)
{
	return container_of(limit, struct myalloc_contract_part, limit);
}

#endif /* MYALLOC_CONTRACT_H */
