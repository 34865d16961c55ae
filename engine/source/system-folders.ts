import { statfsSync } from 'node:fs'
import { type ByteString, toFilePath } from '../base/byte-string.ts'

/** `f_type` of file systems whose files the kernel makes up as they are read (linux/magic.h, and where each is defined). */
const madeUp: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x1cd1, // devpts
  0x27e0eb, 0x63677270, // cgroup, cgroup2
  0x64626720, 0x74726163, 0x73636673, // debugfs, tracefs, securityfs
  0x6165676c, 0xcafe4a11, 0x62656570, // pstore, bpf, configfs
  0xde5e81e4, 0x19800202, 0x958458f6, // efivarfs, mqueue, hugetlbfs
  0x42494e4d, 0x65735543, 0xf97cff8c, // binfmt_misc, fusectl, selinux
  0x67596969, 0x6e736673, 0x187, // rpc_pipefs, nsfs, autofs
])

/** In memory, like any other tmpfs, but made anew at every start of the machine. */
const memory: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])
const memoryFolders: ReadonlySet<ByteString> = new Set(['/dev', '/run'])

/** Whether a folder holds no files but the kernel's own view of the machine: /proc, /sys, /dev, /run and their like. Only on Linux. */
export function isSystemPath(path: ByteString): boolean {
  if (process.platform !== 'linux') return false
  try {
    const type = statfsSync(toFilePath(path)).type
    return madeUp.has(type) || (memory.has(type) && memoryFolders.has(path))
  } catch {
    return false
  }
}
