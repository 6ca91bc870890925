/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole guest in one sector: up in a fraction of a second, idle while it waits, and able to end in
 * exactly the way a test asks for by one byte on its serial port. Powers off on the ACPI power button,
 * so that `virsh shutdown` works. Port numbers are QEMU's: COM1 (0x3f8), pvpanic (0x505), and the ACPI
 * power management block where SeaBIOS puts it on pc and q35 (0x600).
 */
    .code16
    .globl _start
_start:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    sti

    movw $0x602, %dx            /* PM1 enable: QEMU raises the power button only when it is enabled */
    movw $0x100, %ax
    outw %ax, %dx

    movw $greeting, %si
greet:
    lodsb
    testb %al, %al
    jz greeted
    call send
    jmp greet

greeted:
.if DIES
    movw $27, %cx               /* a second and a half: longer than libvirt takes to say that it runs */
linger:
    hlt
    loop linger
    jmp panic
.endif

wait:                           /* the BIOS timer wakes us 18 times a second */
    hlt
    movw $0x600, %dx
    inw %dx, %ax
    testw $0x100, %ax
    jnz power_off
    movw $0x3fd, %dx
    inb %dx, %al
    testb $1, %al
    jz wait
    movw $0x3f8, %dx
    inb %dx, %al
    cmpb $'o', %al
    je power_off
    cmpb $'p', %al
    je panic
    cmpb $'h', %al
    je hang
    cmpb $'k', %al
    je dump
    cmpb $'r', %al
    je reset
    cmpb $'m', %al
    je fill
    cmpb $'w', %al
    je watch
    cmpb $'d', %al
    je write
    call send                   /* anything else is sent back: a proof of life */
    jmp wait

power_off:
    movw $0x604, %dx
    movw $0x2000, %ax
    outw %ax, %dx
    jmp wait

panic:
    movw $0x505, %dx
    movb $1, %al
    outb %al, %dx
    jmp wait

hang:
    cli
1:  hlt
    jmp 1b

dump:                           /* as a kernel that has loaded its crash kernel tells it */
    movw $0x505, %dx
    movb $2, %al
    outb %al, %dx
    jmp wait

reset:                          /* by the keyboard controller, as kernels do */
    movb $0xfe, %al
    outb %al, $0x64
    jmp wait

fill:                           /* every page from 1 MiB to 31 MiB: TCG checks no limits of segments */
    movl $0x100000, %edi
1:  movb %al, (%edi)
    addl $4096, %edi
    cmpl $0x1f00000, %edi
    jb 1b
    call send
    jmp wait

watch:                          /* an ib700 is to fire in two seconds, and is never fed */
    movw $0x443, %dx
    movb $14, %al
    outb %al, %dx
    jmp wait

write:                          /* the 17th sector of the disk */
    movw $0x301, %ax
    movw $0x7c00, %bx
    movw $17, %cx
    movw $0x80, %dx
    int $0x13
    jmp wait

send:
    movb %al, %ah
    movw $0x3fd, %dx
1:  inb %dx, %al
    testb $0x20, %al
    jz 1b
    movw $0x3f8, %dx
    movb %ah, %al
    outb %al, %dx
    ret

greeting:
    .asciz "boot sector is up\r\n"

    .org 510
    .word 0xaa55
