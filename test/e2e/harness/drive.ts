import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestFolder } from './folder.ts'

/** A disk that seems to be attached by USB, and mounted at a folder. `environment`: for the app, so that it sees this disk and no other. */
export function attachDrive(folder: TestFolder, name: string): { readonly mount: string; readonly environment: Readonly<Record<string, string>> } {
  const system = folder.made('system')
  const mount = folder.made(`media/${name}`)
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(system, path)), { recursive: true })
    writeFileSync(join(system, path), text)
  }
  const link = (path: string, to: string): void => {
    mkdirSync(dirname(join(system, path)), { recursive: true })
    symlinkSync(join(system, to), join(system, path))
  }
  const place = '/sys/devices/pci0000:00/usb2/2-1/block/sdb'
  const escaped = (text: string): string => text.replaceAll(' ', String.raw`\040`)
  put('/proc/self/mountinfo', `21 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n40 21 8:17 / ${escaped(mount)} rw - ext4 /dev/sdb1 rw\n`)
  put(`${place}/removable`, '1\n')
  put(`${place}/sdb1/partition`, '1\n')
  put('/dev/sdb1', '')
  link('/sys/class/block/sdb', place)
  link('/sys/class/block/sdb1', `${place}/sdb1`)
  link('/dev/disk/by-uuid/5a2b-11c0', '/dev/sdb1')
  link(`/dev/disk/by-label/${name.replaceAll(' ', String.raw`\x20`)}`, '/dev/sdb1')
  return { mount, environment: { HOLDFAST_TEST_DRIVES: system } }
}
