/* SPDX-License-Identifier: GPL-2.0 */
/* Sessions: the resources that one open file of /dev/myalloc holds. */
#ifndef MYALLOC_SESSION_H
#define MYALLOC_SESSION_H

#include "uapi/myalloc.h"

struct myalloc_session;
struct myalloc_zone;
struct seq_file;

struct myalloc_session *myalloc_session_open(struct myalloc_zone *zone);
void myalloc_session_close(struct myalloc_session *session);
int myalloc_session_charge(struct myalloc_session *session, u64 bytes);
void myalloc_session_uncharge(struct myalloc_session *session, u64 bytes);
struct myalloc_zone *myalloc_session_zone(const struct myalloc_session *session);
int myalloc_session_use(struct myalloc_session *session, struct myalloc_zone *zone);

int myalloc_sessions_contract_end(struct myalloc_zone *zone, u64 id);
void myalloc_sessions_show(struct seq_file *m);
int myalloc_sessions_find(struct myalloc_look *look, void **addr);

#endif /* MYALLOC_SESSION_H */
