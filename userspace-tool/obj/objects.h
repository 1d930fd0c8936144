/* SPDX-License-Identifier: GPL-2.0 */
/*
 * objects: the objects that the files of obj define, for a table of them
 */
#ifndef MYALLOCCTL_OBJECTS_H
#define MYALLOCCTL_OBJECTS_H

#include "cmd/cmd.h"

/* All of them, in the order of the help. */
#define OBJECTS(X) \
	X(info) X(stat) X(top) X(record) X(report) X(explain) X(check) X(map) X(whatis) \
	X(owners) X(page) X(cache) X(heap) X(pool) X(ring) X(arena) X(client) X(contract) \
	X(drain) X(reserve) X(node) X(validate) X(stress) X(bench) X(snapshot) X(diff) X(result) \
	X(schema) X(buildinfo) X(doctor)

#define DECLARE_OBJECT(name)	extern const struct object name##_object;
OBJECTS(DECLARE_OBJECT)

/* An entry of a table of them, which ends with NULL. */
#define OBJECT_ENTRY(name)	&name##_object,

#endif /* MYALLOCCTL_OBJECTS_H */
