/* SPDX-License-Identifier: GPL-2.0 */
/* The pages of a client: see account.c. */
#ifndef MYALLOC_ACCOUNT_H
#define MYALLOC_ACCOUNT_H

#include "zone_types.h"

bool __myalloc_account_charge(struct myalloc_client *client, u32 pages);
void __myalloc_account_return(struct myalloc_client *client, u32 pages);

/**
 * myalloc_account_charge() - count pages that a client is about to hold
 * @client: the client, or NULL, which has no quota
 * @pages: their number
 *
 * Context: any.
 * Return: false if the hard quota of the client, or of one above it, does not allow them; then
 * nothing is counted but the refusal.
 */
static inline bool myalloc_account_charge(struct myalloc_client *client, u32 pages)
{
	return likely(!client) || __myalloc_account_charge(client, pages);
}

/**
 * myalloc_account_return() - pages that a client no longer holds
 * @client: the client, or NULL
 * @pages: their number, which was charged
 *
 * Context: any.
 */
static inline void myalloc_account_return(struct myalloc_client *client, u32 pages)
{
	if (unlikely(client))
		__myalloc_account_return(client, pages);
}

#endif /* MYALLOC_ACCOUNT_H */
