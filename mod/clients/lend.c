// SPDX-License-Identifier: GPL-2.0
/*
 * A test client that lends pages to the kernel
 *
 * For each of several ways to lend, it allocates a lendable block of two pages, writes a pattern,
 * gives the second page to the kernel, and frees the block while the kernel uses it. The block
 * must then be in quarantine. It allocates and overwrites all other memory of the zone, and checks
 * that the kernel still finds the pattern. When the kernel is done the block must return to the
 * zone.
 *
 *	count	no user: each page of a block has its own reference count, also after a
 *		get_page() and put_page()
 *	skb	a fragment of a socket buffer
 *	socket	data in a socket's queue: MSG_SPLICE_PAGES, or sendpage in older kernels
 *	pipe	a buffer in a pipe, as splice and sendfile create
 *	bio	a bio, whose builder takes the reference
 *	mmap	a process's page table, by vm_insert_page()
 *	gup	get_user_pages() of that mapping, which outlives it
 *
 * Everything happens at load, in the context of the loading task. The parameters report for each
 * way: lent, the block was in quarantine while lent; back, it returned. wrong counts failures and
 * must be 0; the log describes each.
 *
 * It reads statistics inside the zone, which a real client must not do.
 */
#include "env.h"

#include <linux/bio.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/pipe_fs_i.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "myalloc_client.h"
#include "zone/zone.h"

#define ORDER		1
#define CHURN_MOST	4096
#define NAME		"myalloc_lend"

enum way { COUNT, SKB, SOCKET, PIPE, BIO, MMAP, GUP, WAYS };

static const char * const names[WAYS] = {
	"count", "skb", "socket", "pipe", "bio", "mmap", "gup",
};

static bool lent[WAYS];
module_param_array(lent, bool, NULL, 0444);
MODULE_PARM_DESC(lent, "in quarantine while lent: count, skb, socket, pipe, bio, mmap, gup");

static bool back[WAYS];
module_param_array(back, bool, NULL, 0444);
MODULE_PARM_DESC(back, "came back when the kernel was done");

static unsigned long wrong;
module_param(wrong, ulong, 0444);
MODULE_PARM_DESC(wrong, "things that must not be");

static char *fifo = "/tmp/" NAME;
module_param(fifo, charp, 0444);
MODULE_PARM_DESC(fifo, "path of a named pipe");

static bool keep;
module_param(keep, bool, 0444);
MODULE_PARM_DESC(keep, "leave a page in the named pipe when going (default off)");

static struct myalloc_zone *zone;
static void *block;		/* currently lent */
static void **churned;

static bool no(bool good, enum way way, const char *what)
{
	if (good)
		return false;
	pr_err("lend: %s: %s\n", names[way], what);
	wrong++;
	return true;
}

static u8 *lent_data(void)
{
	return block + PAGE_SIZE;
}

static struct page *lent_page(void)
{
	return virt_to_page(lent_data());
}

static u8 pattern(enum way way)
{
	return 0xa0 + way;
}

static bool begin(enum way way)
{
	block = myalloc_pages_alloc(zone, ORDER, MYALLOC_LENDABLE);
	if (no(block, way, "no block"))
		return false;
	memset(block, pattern(way), PAGE_SIZE << ORDER);
	return true;
}

/* Allocate all memory, or much of it, write to it and free it. */
static void churn(void)
{
	u32 i, n;

	for (n = 0; n < CHURN_MOST; n++) {
		churned[n] = myalloc_pages_alloc(zone, 0, MYALLOC_TOPDOWN);
		if (!churned[n])
			break;
		memset(churned[n], 0xff, PAGE_SIZE);
	}
	for (i = 0; i < n; i++)
		myalloc_pages_free(zone, churned[i], 0);
}

/* Free the block while the kernel has the page. */
static void free_lent(enum way way)
{
	no(!myalloc_pages_free(zone, block, ORDER), way, "the free was refused");
	lent[way] = atomic64_read(&zone->nr_quarantined) == BIT(ORDER);
	no(lent[way], way, "not in quarantine while lent");
	churn();
	no(!memchr_inv(lent_data(), pattern(way), PAGE_SIZE), way, "overwritten while lent");
}

/* The kernel has dropped the page. */
static void end(enum way way)
{
	myalloc_zone_drain(zone);
	back[way] = !atomic64_read(&zone->nr_quarantined);
	no(back[way], way, "did not come back");
}

static void lend_count(void)
{
	u32 i;

	if (!begin(COUNT))
		return;
	for (i = 0; i < BIT(ORDER); i++) {
		struct page *page = virt_to_page(block + i * PAGE_SIZE);

		get_page(page);
		put_page(page);
		lent[COUNT] = page_ref_count(page) == 1;
		no(lent[COUNT], COUNT, "a page has no reference count of its own");
	}
	no(!myalloc_pages_free(zone, block, ORDER), COUNT, "the free was refused");
	end(COUNT);
}

static void lend_skb(void)
{
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL);

	if (no(skb, SKB, "no socket buffer") || !begin(SKB))
		goto out;
	get_page(lent_page());
	skb_fill_page_desc(skb, 0, lent_page(), 0, PAGE_SIZE);
	skb->len += PAGE_SIZE;
	skb->data_len += PAGE_SIZE;
	skb->truesize += PAGE_SIZE;
	free_lent(SKB);
	kfree_skb(skb);
	end(SKB);
	return;
out:
	kfree_skb(skb);
}

/* One end of a socket pair sends the page itself, and the other has not read it yet. */
static int send_page(struct socket *sock, struct page *page)
{
#if MYALLOC_COMPAT_SPLICE_PAGES
	struct msghdr msg = { .msg_flags = MSG_SPLICE_PAGES };
	struct bio_vec bvec;

	bvec_set_page(&bvec, page, PAGE_SIZE, 0);
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &bvec, 1, PAGE_SIZE);
	return sock_sendmsg(sock, &msg);
#else
	return kernel_sendpage(sock, page, 0, PAGE_SIZE, 0);
#endif
}

static void receive(struct socket *sock)
{
	struct msghdr msg = {};
	struct kvec vec = { .iov_len = PAGE_SIZE };

	vec.iov_base = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (no(vec.iov_base, SOCKET, "no memory"))
		return;
	no(kernel_recvmsg(sock, &msg, &vec, 1, PAGE_SIZE, 0) == PAGE_SIZE &&
	   !memchr_inv(vec.iov_base, pattern(SOCKET), PAGE_SIZE), SOCKET,
	   "received something else");
	kfree(vec.iov_base);
}

static void lend_socket(void)
{
	struct socket *from, *to;

	if (no(!sock_create_kern(&init_net, AF_UNIX, SOCK_STREAM, 0, &from), SOCKET, "no socket"))
		return;
	if (no(!sock_create_kern(&init_net, AF_UNIX, SOCK_STREAM, 0, &to), SOCKET, "no socket"))
		goto out_from;
	if (no(!from->ops->socketpair(from, to), SOCKET, "no pair") || !begin(SOCKET))
		goto out;
	no(send_page(from, lent_page()) == PAGE_SIZE, SOCKET, "not sent");
	free_lent(SOCKET);
	receive(to);
	end(SOCKET);
out:
	sock_release(to);
out_from:
	sock_release(from);
}

static void put_spd_page(struct splice_pipe_desc *spd, unsigned int i)
{
	put_page(spd->pages[i]);
}

static bool splice_page(struct file *file)
{
	struct page *pages[] = { lent_page() };
	struct partial_page partial[] = { { .len = PAGE_SIZE } };
	struct splice_pipe_desc spd = {
		.pages = pages, .partial = partial, .nr_pages = 1, .nr_pages_max = 1,
		.ops = &nosteal_pipe_buf_ops, .spd_release = put_spd_page,
	};

	get_page(pages[0]);
	return splice_to_pipe(file->private_data, &spd) == PAGE_SIZE;
}

static void lend_pipe(void)
{
	u8 *data = kmalloc(PAGE_SIZE, GFP_KERNEL);
	struct file *file;

	if (no(data, PIPE, "no memory"))
		return;
	file = filp_open(fifo, O_RDWR | O_NONBLOCK, 0);
	if (no(!IS_ERR(file), PIPE, "the named pipe cannot be opened"))
		goto out;
	if (begin(PIPE)) {
		no(splice_page(file), PIPE, "not spliced");
		free_lent(PIPE);
		no(kernel_read(file, data, PAGE_SIZE, NULL) == PAGE_SIZE &&
		   !memchr_inv(data, pattern(PIPE), PAGE_SIZE), PIPE, "read something else");
		end(PIPE);
	}
	filp_close(file, NULL);
out:
	kfree(data);
}

static void bio_done(struct bio *bio)
{
	put_page(bio_first_page_all(bio));
	bio_put(bio);
}

static void lend_bio(void)
{
	struct bio *bio = bio_alloc(NULL, 1, REQ_OP_WRITE, GFP_KERNEL);

	if (!begin(BIO)) {
		bio_put(bio);
		return;
	}
	get_page(lent_page());
	__bio_add_page(bio, lent_page(), PAGE_SIZE, 0);
	bio->bi_end_io = bio_done;
	free_lent(BIO);
	bio_endio(bio);
	end(BIO);
}

static int lend_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vm_insert_page(vma, vma->vm_start, lent_page());
}

static const struct file_operations lend_fops = {
	.owner = THIS_MODULE,
	.mmap = lend_mmap,
};

static struct miscdevice lend_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = NAME,
	.fops = &lend_fops,
	.mode = 0600,
};

/* Map the page into the loading task, and with @gup pin it in addition. */
static void map(struct file *file, enum way way)
{
	struct page *page = NULL;
	unsigned long at;
	u8 byte = 0;

	if (!begin(way))
		return;
	at = vm_mmap(file, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	if (no(!IS_ERR_VALUE(at), way, "not mapped")) {
		myalloc_pages_free(zone, block, ORDER);
		return;
	}
	if (way == GUP) {
		no(get_user_pages_fast(at, 1, FOLL_WRITE, &page) == 1 && page == lent_page(), way,
		   "the mapping has another page");
		vm_munmap(at, PAGE_SIZE);
	}
	free_lent(way);
	if (way == MMAP) {
		no(!copy_from_user(&byte, (u8 __user *)at, 1) && byte == pattern(way), way,
		   "the process sees something else");
		vm_munmap(at, PAGE_SIZE);
	} else if (page) {
		put_page(page);
	}
	end(way);
}

static void lend_mappings(void)
{
	struct file *file;

	if (no(!misc_register(&lend_dev), MMAP, "no device"))
		return;
	file = filp_open("/dev/" NAME, O_RDWR, 0);
	if (!no(!IS_ERR(file), MMAP, "the device cannot be opened")) {
		map(file, MMAP);
		map(file, GUP);
		filp_close(file, NULL);
	}
	misc_deregister(&lend_dev);
}

/* To observe what happens at unload: another process has the pipe open. */
static void leave_one(void)
{
	struct file *file = filp_open(fifo, O_RDWR | O_NONBLOCK, 0);

	if (no(!IS_ERR(file), PIPE, "the named pipe cannot be opened"))
		return;
	if (begin(PIPE)) {
		no(splice_page(file), PIPE, "not spliced");
		no(!myalloc_pages_free(zone, block, ORDER), PIPE, "the free was refused");
	}
	filp_close(file, NULL);
}

static int __init lend_client_init(void)
{
	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	churned = kvmalloc_array(CHURN_MOST, sizeof(*churned), GFP_KERNEL);
	if (!churned) {
		myalloc_zone_put(zone);
		return -ENOMEM;
	}
	lend_count();
	lend_skb();
	lend_socket();
	lend_pipe();
	lend_bio();
	lend_mappings();
	if (keep)
		leave_one();
	kvfree(churned);
	return 0;
}

static void __exit lend_client_exit(void)
{
	myalloc_zone_put(zone);
}

module_init(lend_client_init);
module_exit(lend_client_exit);

MODULE_DESCRIPTION("Test client of myalloc: lends pages to the kernel");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
