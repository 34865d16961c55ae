/** A function of the system's C library. Throws as node:fs does, and goes on after a signal. @returns what it returns, never negative. */
export type ForeignFunction = (...args: readonly (number | bigint | string | Uint8Array)[]) => number

/** EINTR everywhere. */
const interrupted = 4

const darwin = process.platform === 'darwin'

/** A variable argument is passed in its own way on Apple's processors. */
const openat = darwin ? 'int openat(int folder, const uint8_t *name, int flags, ...)' : 'int openat(int folder, const uint8_t *name, int flags, uint32_t mode)'

/** By POSIX.1-2017. Strings are bytes with a final zero; a user or group of 0xffffffff stays as it is. */
const declarations = {
  openat,
  mkdirat: 'int mkdirat(int folder, const uint8_t *name, uint32_t mode)',
  symlinkat: 'int symlinkat(const uint8_t *target, int folder, const uint8_t *name)',
  linkat: 'int linkat(int from, const uint8_t *original, int folder, const uint8_t *name, int flags)',
  renameat: 'int renameat(int from, const uint8_t *name, int folder, const uint8_t *to)',
  unlinkat: 'int unlinkat(int folder, const uint8_t *name, int flags)',
  readlinkat: 'int64_t readlinkat(int folder, const uint8_t *name, uint8_t *target, uint64_t size)',
  mkfifoat: 'int mkfifoat(int folder, const uint8_t *name, uint32_t mode)',
  chmod: 'int chmod(const uint8_t *path, uint32_t mode)',
  chown: 'int chown(const uint8_t *path, uint32_t uid, uint32_t gid)',
  utimensat: 'int utimensat(int folder, const uint8_t *path, const uint8_t *times, int flags)',
  futimens: 'int futimens(int descriptor, const uint8_t *times)',
} as const

/** By xattr(7) of Linux and setxattr(2), listxattr(2) … of macOS, which needs no forms with a path here. */
const attributeDeclarations: Readonly<Record<string, string>> = darwin
  ? {
      fsetxattr: 'int fsetxattr(int descriptor, const uint8_t *name, const uint8_t *value, uint64_t size, uint32_t position, int options)',
      fgetxattr: 'int64_t fgetxattr(int descriptor, const uint8_t *name, uint8_t *value, uint64_t size, uint32_t position, int options)',
      flistxattr: 'int64_t flistxattr(int descriptor, uint8_t *names, uint64_t size, int options)',
      fremovexattr: 'int fremovexattr(int descriptor, const uint8_t *name, int options)',
    }
  : {
      fsetxattr: 'int fsetxattr(int descriptor, const uint8_t *name, const uint8_t *value, uint64_t size, int flags)',
      fgetxattr: 'int64_t fgetxattr(int descriptor, const uint8_t *name, uint8_t *value, uint64_t size)',
      flistxattr: 'int64_t flistxattr(int descriptor, uint8_t *names, uint64_t size)',
      fremovexattr: 'int fremovexattr(int descriptor, const uint8_t *name)',
      setxattr: 'int setxattr(const uint8_t *path, const uint8_t *name, const uint8_t *value, uint64_t size, int flags)',
      getxattr: 'int64_t getxattr(const uint8_t *path, const uint8_t *name, uint8_t *value, uint64_t size)',
      listxattr: 'int64_t listxattr(const uint8_t *path, uint8_t *names, uint64_t size)',
      removexattr: 'int removexattr(const uint8_t *path, const uint8_t *name)',
    }

type AttributeFunction = 'fsetxattr' | 'fgetxattr' | 'flistxattr' | 'fremovexattr' | 'setxattr' | 'getxattr' | 'listxattr' | 'removexattr'
export type ForeignFunctions = Readonly<Record<keyof typeof declarations, ForeignFunction> & Partial<Record<AttributeFunction, ForeignFunction>>>

/** Rejects where koffi does not load or the library lacks one of them. */
export async function loadForeignFunctions(): Promise<ForeignFunctions> {
  const { default: koffi } = await import('koffi')
  const library = koffi.load(null)
  const load = (name: string, declaration: string): ForeignFunction => {
    const call: (...args: readonly unknown[]) => unknown = library.func(declaration)
    return (...args) => {
      for (;;) {
        const result = Number(call(...args))
        if (result >= 0) return result
        const errno = koffi.errno()
        if (errno !== interrupted) throw systemError(errno, koffi.os.errno, name)
      }
    }
  }
  const loaded: Record<string, ForeignFunction> = {}
  for (const [name, declaration] of Object.entries({ ...declarations, ...attributeDeclarations })) loaded[name] = load(name, declaration)
  return loaded as ForeignFunctions
}

function systemError(errno: number, codes: Readonly<Record<string, number>>, call: string): NodeJS.ErrnoException {
  const code = Object.keys(codes).find((name) => codes[name] === errno) ?? `errno ${String(errno)}`
  return Object.assign(new Error(`${code}: ${call}`), { code, errno: -errno, syscall: call })
}
