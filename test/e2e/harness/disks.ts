import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestFolder } from './folder.ts'

export interface TestDisk {
  /** Of its file system. */
  readonly id: string
  readonly label: string
  /** Where what is on it lies while it is away. */
  readonly content: string
}

/**
 * Disks that are plugged in and out: each is a folder that is truly mounted (wants root), and what the system says of itself tells of them as of USB sticks.
 * Beside them there is the disk of the system.
 */
export class TestDisks implements Disposable {
  readonly #folder: TestFolder
  readonly #mounted = new Map<string, { readonly disk: TestDisk; readonly device: string }>()
  #count = 0

  constructor(folder: TestFolder) {
    this.#folder = folder
    this.#device('vda', 'pci0000:00/virtio1', '0')
    this.#tell()
  }

  get environment(): Readonly<Record<string, string>> {
    return { HOLDFAST_TEST_DRIVES: this.#folder.path('system') }
  }

  disk(id: string, label: string): TestDisk {
    return { id, label, content: this.#folder.made(`content of ${id}`) }
  }

  /** @returns the mount point, below the folder of the test */
  plug(disk: TestDisk, name = disk.label): string {
    const point = this.#folder.made(`media/${name}`)
    execFileSync('mount', ['--bind', disk.content, point])
    const device = `sd${String.fromCharCode('b'.charCodeAt(0) + this.#count++)}1`
    this.#device(device, 'pci0000:00/usb1', '1')
    this.#link(`/dev/disk/by-uuid/${disk.id}`, `/dev/${device}`)
    this.#link(`/dev/disk/by-label/${escaped(disk.label)}`, `/dev/${device}`)
    this.#mounted.set(point, { disk, device })
    this.#tell()
    return point
  }

  /** The folder of the mount stays, empty, as after a pulled plug. */
  unplug(point: string): void {
    const { disk } = this.#mounted.get(point) ?? {}
    execFileSync('umount', ['-l', point])
    this.#mounted.delete(point)
    if (disk) for (const path of [`by-uuid/${disk.id}`, `by-label/${escaped(disk.label)}`]) rmSync(this.#at(`/dev/disk/${path}`), { force: true })
    this.#tell()
  }

  [Symbol.dispose](): void {
    for (const point of this.#mounted.keys()) execFileSync('umount', ['-l', point])
  }

  #at(path: string): string {
    return join(this.#folder.path('system'), path)
  }

  #link(path: string, to: string): void {
    mkdirSync(join(this.#at(path), '..'), { recursive: true })
    // Of two with the same label, the name leads to the later.
    rmSync(this.#at(path), { force: true })
    symlinkSync(this.#at(to), this.#at(path))
  }

  #device(name: string, bus: string, removable: string): void {
    const place = `/sys/devices/${bus}/block/${name}`
    for (const folder of ['/dev', place]) mkdirSync(this.#at(folder), { recursive: true })
    writeFileSync(this.#at(`/dev/${name}`), '')
    writeFileSync(this.#at(`${place}/removable`), removable)
    this.#link(`/sys/class/block/${name}`, place)
  }

  #tell(): void {
    mkdirSync(this.#at('/proc/self'), { recursive: true })
    const points = [...this.#mounted].map(([point, { device }], at) => `${40 + at} 21 8:${17 + at} / ${point.replaceAll(' ', '\\040')} rw,nosuid shared:3 - ext4 /dev/${device} rw`)
    writeFileSync(this.#at('/proc/self/mountinfo'), ['21 1 254:0 / / rw,relatime - ext4 /dev/vda rw', ...points].join('\n'))
  }
}

/** As udev writes labels into names. */
function escaped(label: string): string {
  return label.replaceAll(' ', '\\x20')
}

