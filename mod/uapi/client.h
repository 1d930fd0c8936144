/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: clients, and the memory that each call site holds.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_CLIENT_H
#define _UAPI_MYALLOC_CLIENT_H

#define MYALLOC_OWNER_NAME_MAX	56	/* bytes, with the NUL */
#define MYALLOC_SITE_WHAT_MAX	40	/* bytes, with the NUL */
#define MYALLOC_SITE_NAME_MAX	88	/* bytes, with the NUL */
#define MYALLOC_SITES_MAX	16384	/* call sites of a command */

/*
 * struct myalloc_client_stat - the statistics of one client at one moment
 * @size: sizeof(struct myalloc_client_stat) of the caller
 * @how: MYALLOC_BY_ID or MYALLOC_NEXT_ID
 * @name: out: NUL-terminated
 * @owner: out: name of its owner, NUL-terminated
 *
 * stat_fields.h lists the other members in the order of the struct; @id is also the input.
 */
struct myalloc_client_stat {
	__u32 size;
	__u32 how;
	char name[MYALLOC_NAME_MAX];
	char owner[MYALLOC_OWNER_NAME_MAX];

	MYALLOC_CLIENT_FIELDS(MYALLOC_STAT_MEMBER)
};

/**
 * struct myalloc_site_stat - memory of one kind that one call site holds
 * @what: name of a cache, "pages", or kind and name of a front
 * @caller: the call site, as symbol+offset/size; empty if it is not recorded
 * @count: objects, blocks or extents
 * @bytes: bytes of all of them, without metadata
 * @oldest_ms: age of the oldest whose age is known; MYALLOC_AGE_UNKNOWN if none is
 */
struct myalloc_site_stat {
	char what[MYALLOC_SITE_WHAT_MAX];
	char caller[MYALLOC_SITE_NAME_MAX];
	__u64 count;
	__u64 bytes;
	__u64 oldest_ms;
};

#define MYALLOC_AGE_UNKNOWN	(~0ULL)

/**
 * struct myalloc_client_sites - list the memory held by each call site, largest first
 * @size: sizeof(struct myalloc_client_sites) of the caller
 * @room: call sites for which there is room at @sites, 1 to MYALLOC_SITES_MAX
 * @client: number of a client, to list its memory without the clients below it; 0: the whole zone
 * @older_ms: leave out memory that is known to be younger
 * @sites: address of an array of struct myalloc_site_stat
 * @done: out: call sites written there
 * @nr: out: call sites found
 *
 * Blocks have a call site and no age. Extents of a client have both, unless the module records call
 * stacks (checks=U); objects have both in caches with the check U. -ENOENT if there is no such
 * client.
 */
struct myalloc_client_sites {
	__u32 size;
	__u32 room;
	__u64 client;
	__u64 older_ms;
	__u64 sites;
	__u32 done;
	__u32 nr;
};

/* myalloc_client_release.flags */
#define MYALLOC_RELEASE_FILL	(1u << 0)	/* overwrite the memory first */

/**
 * struct myalloc_client_release - free the memory of a client whose owner is gone
 * @size: sizeof(struct myalloc_client_release) of the caller
 * @flags: MYALLOC_RELEASE_FILL or 0
 * @client: number of the client, which ends
 *
 * No code and no device may use the memory any more; only the user can know that. -ENOENT if there
 * is no such client; -EPERM if its owner still exists; -EBUSY if damage prevents it.
 */
struct myalloc_client_release {
	__u32 size;
	__u32 flags;
	__u64 client;
};

#define MYALLOC_IOC_CLIENT_STAT		_IOWR(MYALLOC_IOC, 0xb0, struct myalloc_client_stat)
#define MYALLOC_IOC_CLIENT_SITES	_IOWR(MYALLOC_IOC, 0xb1, struct myalloc_client_sites)
#define MYALLOC_IOC_CLIENT_RELEASE	_IOWR(MYALLOC_IOC, 0xb2, struct myalloc_client_release)

#endif /* _UAPI_MYALLOC_CLIENT_H */
