/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arms the worst of all hangs: loads as crash kernel three bytes that switch interrupts off and spin. Then
 * `echo c >/proc/sysrq-trigger` jumps there, from which nothing comes back: no panic is told, no device is
 * closed. Wants the kernel arguments crashkernel=16M@64M and nokaslr: at a random address, the kernel itself
 * may lie there, and nothing is reserved. Exit status: 0, or the errno of kexec_load.
 */
    .globl _start
_start:
    movl $246, %eax             /* kexec_load(entry, 1, &segment, KEXEC_ON_CRASH | KEXEC_ARCH_X86_64) */
    movl $0x4000000, %edi
    movl $1, %esi
    leaq segment(%rip), %rdx
    movl $0x3e0001, %r10d
    syscall
    movl %eax, %edi
    negl %edi
    movl $60, %eax              /* exit(-result) */
    syscall

spin:
    cli
1:  jmp 1b
end_of_spin:

    .data
    .balign 8
segment:
    .quad spin, end_of_spin - spin, 0x4000000, 4096
