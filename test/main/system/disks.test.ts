import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { diskOf, type DiskFacts } from '../../../main/system/disks.ts'

const mounts = [
  '22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw',
  '40 22 0:31 /@home /home rw shared:2 - btrfs /dev/mapper/vault rw,subvol=/@home',
  '41 22 8:17 / /media/mia/My\\040Disk rw - vfat /dev/sdb1 rw',
  '42 22 0:50 / /mnt/nas rw - cifs //nas/share rw',
  '43 22 0:51 / /mnt/far rw - fuse.sshfs me@attic:/backup rw',
  '44 22 0:52 / /tmp rw - tmpfs tmpfs rw',
  '45 22 8:33 / /mnt/over rw - ext4 /dev/sdc1 rw',
  '46 22 8:18 / /mnt/over rw - ext4 /dev/sdb2 rw',
].join('\n')

const links: Readonly<Record<string, string>> = {
  '/dev/mapper/vault': '/dev/dm-0',
  '/sys/class/block/nvme0n1p2': '/sys/devices/pci/nvme/nvme0n1/nvme0n1p2', '/sys/class/block/nvme0n1p3': '/sys/devices/pci/nvme/nvme0n1/nvme0n1p3',
  '/sys/class/block/sdb1': '/sys/devices/usb/sdb/sdb1', '/sys/class/block/sdb2': '/sys/devices/usb/sdb/sdb2',
  '/home/mia/link': '/media/mia/My Disk/photos',
}
const names: Readonly<Record<string, readonly string[]>> = {
  '/sys/class/block/dm-0/slaves': ['nvme0n1p3'],
  '/sys/devices/pci/nvme/nvme0n1/nvme0n1p2': ['partition'], '/sys/devices/pci/nvme/nvme0n1/nvme0n1p3': ['partition'],
  '/sys/devices/usb/sdb/sdb1': ['partition'], '/sys/devices/usb/sdb/sdb2': ['partition'],
}
const looked: string[] = []
const facts: DiskFacts = {
  mounts: async () => mounts,
  real: async (path) => {
    looked.push(path)
    if (path.includes('gone')) throw new Error('ENOENT')
    return links[path] ?? path
  },
  device: async () => 77,
  names: async (folder) => names[folder] ?? [],
}

it.each([
  ['/etc', { at: 'computer', disk: 'nvme0n1' }],
  // Encrypted, in a subvolume, and yet on the same disk.
  ['/home/mia/photos', { at: 'computer', disk: 'nvme0n1' }],
  ['/media/mia/My Disk/backup', { at: 'computer', disk: 'sdb' }],
  ['/home/mia/link', { at: 'computer', disk: 'sdb' }],
  ['/mnt/nas/backup', { at: 'elsewhere', kind: 'network drive' }],
  ['/mnt/far', { at: 'elsewhere', kind: 'network drive' }],
  ['/mnt/nasty', { at: 'computer', disk: 'nvme0n1' }],
  ['/tmp/x', { at: 'computer', disk: '77' }],
  ['/mnt/over', { at: 'computer', disk: 'sdb' }],
  ['/media/gone', undefined],
])('%s lies where the system says', async (path, where) => {
  expect(await diskOf(path, facts)).toEqual(where)
})

it('a network drive is not looked at, as it may hang', async () => {
  looked.length = 0
  await diskOf('/mnt/nas/backup', facts)
  expect(looked).toEqual([])
})

it('without a list of what is mounted, the number of the file system tells disks apart', async () => {
  expect(await diskOf('/etc', { ...facts, mounts: async () => undefined })).toEqual({ at: 'computer', disk: '77' })
})

it('on this very computer two folders of one place are on one disk', async () => {
  const here = await diskOf(tmpdir())
  expect(here).toMatchObject({ at: 'computer' })
  expect(await diskOf(`${tmpdir()}/.`)).toEqual(here)
  expect(await diskOf('/nonexistent/folder')).toBeUndefined()
})
