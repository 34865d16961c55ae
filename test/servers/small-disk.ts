import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const step = 64 * 1024

/** A disk in memory that is soon full, mounted at a folder of a server. Wants root. */
export class SmallDisk implements Disposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** @param mode who may write to it, for chmod. */
  static mount(path: string, bytes: number, mode = '0777'): SmallDisk {
    mkdirSync(path, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=${mode}`, 'holdfast-test', path])
    return new SmallDisk(path)
  }

  /** Until nothing more fits. */
  fill(name: string): void {
    for (let count = 0; ; count++) {
      try {
        writeFileSync(join(this.path, name), Buffer.alloc(step), { flag: 'a' })
      } catch {
        return
      }
    }
  }

  free(name: string): void {
    rmSync(join(this.path, name))
  }

  [Symbol.dispose](): void {
    // Servers may have files open still.
    execFileSync('umount', ['-l', this.path])
  }
}
