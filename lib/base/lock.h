/* SPDX-License-Identifier: GPL-2.0 */
/* Raw spinlocks that NMI handlers may try to take */
#ifndef MYALLOC_LOCK_H
#define MYALLOC_LOCK_H

/**
 * myalloc_lock() - take a raw spinlock; in NMI, only try to take it
 * @lock: the lock
 * @flags: out: the interrupt state, for raw_spin_unlock_irqrestore()
 *
 * Context: any.
 * Return: true with the lock held and interrupts off; false if, in NMI, the lock is held already.
 */
static inline bool myalloc_lock(raw_spinlock_t *lock, unsigned long *flags)
{
	if (unlikely(in_nmi()))
		return raw_spin_trylock_irqsave(lock, *flags);
	raw_spin_lock_irqsave(lock, *flags);
	return true;
}

#endif /* MYALLOC_LOCK_H */
