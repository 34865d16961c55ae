import { execFileSync } from 'node:child_process'
import { futimesSync, lutimesSync } from 'node:fs'

/** Calls of the system that Node lacks. Paths are exact bytes without a final zero. Both throw errors with an errno `code`. */
export interface NativeCalls {
  /** Sets the modification time of the entry itself (never of what a symlink points to); the access time stays where it can. */
  setModified(path: Buffer, mtimeNs: bigint): void
  /** The same for an open file. */
  setModifiedOf(descriptor: number, mtimeNs: bigint): void
  makeFifo(path: Buffer, mode: number): void
  /** Whether times are exact to the ns; else to about 0.25 µs, the precision of a double. */
  readonly exactTimes: boolean
}

interface Constants {
  readonly currentFolder: number
  readonly noFollow: number
  readonly omit: bigint
}

/** 64-bit systems whose `struct timespec` is two 64-bit numbers. */
const constantsOf: Readonly<Partial<Record<NodeJS.Platform, Constants>>> = {
  linux: { currentFolder: -100, noFollow: 0x100, omit: 0x3ffffffen },
  darwin: { currentFolder: -2, noFollow: 0x20, omit: -2n },
}

/** Through koffi where it loads, else with what Node and the shell have. Never rejects. */
export async function loadNative(): Promise<NativeCalls> {
  const constants = constantsOf[process.platform]
  if (!constants || !['x64', 'arm64'].includes(process.arch)) return slowCalls
  try {
    return await foreignCalls(constants)
  } catch {
    return slowCalls
  }
}

async function foreignCalls(constants: Constants): Promise<NativeCalls> {
  const { default: koffi } = await import('koffi')
  const library = koffi.load(null)
  const utimensat: (folder: number, path: Buffer, times: Buffer, flags: number) => unknown =
    library.func('int utimensat(int folder, const uint8_t *path, const uint8_t *times, int flags)')
  const futimens: (descriptor: number, times: Buffer) => unknown = library.func('int futimens(int descriptor, const uint8_t *times)')
  const mkfifo: (path: Buffer, mode: number) => unknown = library.func('int mkfifo(const uint8_t *path, uint32_t mode)')
  const check = (result: unknown, call: string): void => {
    if (result !== 0) throw systemError(koffi.errno(), koffi.os.errno, call)
  }
  const times = Buffer.alloc(32)
  times.writeBigInt64LE(constants.omit, 8)
  const setTimes = (mtimeNs: bigint): void => {
    const seconds = floorSeconds(mtimeNs)
    times.writeBigInt64LE(seconds, 16)
    times.writeBigInt64LE(mtimeNs - seconds * 1_000_000_000n, 24)
  }
  return {
    exactTimes: true,
    setModifiedOf(descriptor, mtimeNs) {
      setTimes(mtimeNs)
      check(futimens(descriptor, times), 'futimens')
    },
    setModified(path, mtimeNs) {
      setTimes(mtimeNs)
      check(utimensat(constants.currentFolder, terminated(path), times, constants.noFollow), 'utimensat')
    },
    makeFifo(path, mode) {
      check(mkfifo(terminated(path), mode), 'mkfifo')
    },
  }
}

/** Rounds down, also before 1970. */
function floorSeconds(ns: bigint): bigint {
  return BigInt.asIntN(64, ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n))
}

function terminated(path: Buffer): Buffer {
  return Buffer.concat([path, Buffer.of(0)])
}

function systemError(errno: number, codes: Readonly<Record<string, number>>, call: string): NodeJS.ErrnoException {
  const code = Object.keys(codes).find((name) => codes[name] === errno) ?? `errno ${String(errno)}`
  return Object.assign(new Error(`${code}: ${call}`), { code, errno: -errno, syscall: call })
}

const slowCalls: NativeCalls = {
  exactTimes: false,
  setModified(path, mtimeNs) {
    lutimesSync(path, secondsOf(mtimeNs), secondsOf(mtimeNs))
  },
  setModifiedOf(descriptor, mtimeNs) {
    futimesSync(descriptor, secondsOf(mtimeNs), secondsOf(mtimeNs))
  },
  makeFifo(path, mode) {
    // mkfifo(1) takes arguments as text: a name that is not UTF-8 has to go without its FIFO on such a system.
    execFileSync('mkfifo', ['-m', mode.toString(8), '--', path.toString('utf8')], { stdio: 'ignore' })
  },
}

function secondsOf(ns: bigint): number {
  return Number(ns / 1_000_000_000n) + Number(ns % 1_000_000_000n) / 1e9
}
