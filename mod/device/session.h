/* SPDX-License-Identifier: GPL-2.0 */
/* Sessions: the resources that one open file of /dev/myalloc holds. */
#ifndef MYALLOC_SESSION_H
#define MYALLOC_SESSION_H

#include <linux/poll.h>

#include "uapi/myalloc.h"

struct myalloc_job_kind;
struct myalloc_session;
struct myalloc_zone;
struct seq_file;
struct vm_area_struct;

struct myalloc_session *myalloc_session_open(struct myalloc_zone *zone);
void myalloc_session_close(struct myalloc_session *session);
int myalloc_session_charge(struct myalloc_session *session, u64 bytes);
void myalloc_session_uncharge(struct myalloc_session *session, u64 bytes);
struct myalloc_zone *myalloc_session_zone(const struct myalloc_session *session);
int myalloc_session_use(struct myalloc_session *session, struct myalloc_zone *zone);

int myalloc_session_page_alloc(struct myalloc_session *session,
			       struct myalloc_page_alloc *arg);
int myalloc_session_page_free(struct myalloc_session *session, struct myalloc_free *arg);
int myalloc_session_page_map(struct myalloc_session *session, struct myalloc_page_map *arg);
int myalloc_session_mmap(struct myalloc_session *session, struct vm_area_struct *vma);
int myalloc_session_obj_alloc(struct myalloc_session *session,
			      struct myalloc_obj_alloc *arg);
int myalloc_session_obj_free(struct myalloc_session *session, struct myalloc_free *arg);

int myalloc_session_cache_create(struct myalloc_session *session,
				 struct myalloc_cache_create *arg);
int myalloc_session_cache_destroy(struct myalloc_session *session, u64 handle);
int myalloc_session_cache_shrink(struct myalloc_session *session, u64 handle, u64 *pages);
int myalloc_session_cache_drain(struct myalloc_session *session, u64 handle, u64 *pages);
int myalloc_session_cache_stat(struct myalloc_session *session,
			       struct myalloc_cache_stat *stat);

struct myalloc_contract_line;
struct myalloc_contract_plan;
int myalloc_session_contract_create(struct myalloc_session *session,
				    struct myalloc_contract_make *arg,
				    const struct myalloc_contract_line *lines,
				    struct myalloc_contract_plan *plan);
int myalloc_session_contract_end(struct myalloc_session *session, u64 handle);
int myalloc_sessions_contract_end(struct myalloc_zone *zone, u64 id);

int myalloc_session_job_start(struct myalloc_session *session,
			      const struct myalloc_job_kind *kind, void *params);
int myalloc_session_job_result(struct myalloc_session *session,
			       const struct myalloc_job_kind *kind, void *result);
int myalloc_session_cancel(struct myalloc_session *session);
__poll_t myalloc_session_poll(struct myalloc_session *session, struct file *file,
			      poll_table *wait);
ssize_t myalloc_session_read(struct myalloc_session *session, char __user *buf,
			     size_t size, bool nonblock);

void myalloc_sessions_show(struct seq_file *m);
int myalloc_sessions_find(struct myalloc_look *look, void **addr);

#endif /* MYALLOC_SESSION_H */
