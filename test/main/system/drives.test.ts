import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { attachedDrives, drivesForBackups, seenAt, systemFacts, type DriveFacts } from '../../../main/system/drives.ts'

/** A partition, as the kernel and udev show it. */
interface Part {
  readonly name: string
  readonly uuid?: string
  /** As udev writes it. */
  readonly label?: string
}

interface Disk {
  readonly name: string
  readonly bus: string
  readonly model?: string
  readonly removable?: boolean
  readonly parts: readonly Part[]
}

const folders: string[] = []
afterEach(() => { for (const folder of folders.splice(0)) rmSync(folder, { recursive: true }) })

/** What a computer with these disks and mounts says of itself, in a folder. */
function computer(disks: readonly Disk[], mounts: readonly string[]): DriveFacts {
  const root = mkdtempSync(join(tmpdir(), 'holdfast drives '))
  folders.push(root)
  const put = (path: string, text = ''): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const link = (path: string, to: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    symlinkSync(join(root, to), join(root, path))
  }
  put('/proc/self/mountinfo', mounts.join('\n'))
  for (const { name, bus, model, removable, parts } of disks) {
    const place = `/sys/devices/${bus}/block/${name}`
    put(`${place}/removable`, removable === true ? '1\n' : '0\n')
    if (model !== undefined) put(`${place}/device/model`, `${model}   \n`)
    link(`/sys/class/block/${name}`, place)
    for (const part of parts) {
      put(`/dev/${part.name}`)
      if (part.name !== name) {
        put(`${place}/${part.name}/partition`, '1\n')
        link(`/sys/class/block/${part.name}`, `${place}/${part.name}`)
      }
      if (part.uuid !== undefined) link(`/dev/disk/by-uuid/${part.uuid}`, `/dev/${part.name}`)
      if (part.label !== undefined) link(`/dev/disk/by-label/${part.label}`, `/dev/${part.name}`)
    }
  }
  return { ...systemFacts(root), home: '/home/mia', space: async () => ({ freeBytes: 600, totalBytes: 1000 }) }
}

const own: Disk = { name: 'nvme0n1', bus: 'pci0000:00/nvme/nvme0', parts: [{ name: 'nvme0n1p1', uuid: 'EF1-00' }, { name: 'nvme0n1p2', uuid: 'root-1' }, { name: 'nvme0n1p3', uuid: 'data-1', label: 'Data' }] }
const ownMounts = ['21 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw', '22 21 259:1 / /boot/efi rw - vfat /dev/nvme0n1p1 rw', '23 21 0:5 / /proc rw - proc proc rw', '24 21 0:6 / /tmp rw - tmpfs tmpfs rw', '25 21 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro']
const stick: Disk = { name: 'sdb', bus: 'pci0000:00/usb2/2-1', removable: true, parts: [{ name: 'sdb1', uuid: '5A2B-11C0', label: 'Blaue\\x20Platte\\x20\\xc3\\xa9t\\xc3\\xa9' }] }
const cased: Disk = { name: 'sdc', bus: 'pci0000:00/usb1/1-3', model: 'WD Elements 2621', parts: [{ name: 'sdc1', uuid: '9f0e-5' }] }

it('lists the disks that are attached, and neither the system’s own nor what is none', async () => {
  const facts = computer([own, { name: 'sda', bus: 'pci0000:00/ata1', parts: [{ name: 'sda', uuid: 'inner-7' }] }, stick, cased], [
    ...ownMounts,
    '30 21 259:3 / /data rw - ext4 /dev/nvme0n1p3 rw',
    '31 21 8:0 / /mnt/raw rw - ext4 /dev/sda rw',
    '32 21 8:17 / /media/mia/Blaue\\040Platte\\040été rw shared:3 master:2 - vfat /dev/sdb1 rw',
    '33 21 8:33 / /media/mia/back\\134slash\\011tab rw - exfat /dev/sdc1 rw',
    '34 21 0:60 / /mnt/nas rw - cifs //nas/x rw',
  ])
  const room = { freeBytes: 600, totalBytes: 1000 }
  const plain = (mount: string) => ({ mount, root: '/', seen: [{ root: '/', point: mount }], readOnly: false, system: false })
  expect(await drivesForBackups(facts)).toEqual([
    { ...plain('/media/mia/Blaue Platte été'), id: '5A2B-11C0', name: 'Blaue Platte été', removable: true, ...room },
    // A disk in a case of its own says that it is fixed.
    { ...plain('/media/mia/back\\slash\ttab'), id: '9f0e-5', name: 'WD Elements 2621', removable: true, ...room },
    { ...plain('/mnt/raw'), id: 'inner-7', name: 'raw', removable: false, ...room },
  ])
})

it('a part of the system’s disk that is mounted apart is offered where there is nothing else', async () => {
  const mounts = [...ownMounts, '30 21 259:3 / /data rw - ext4 /dev/nvme0n1p3 rw']
  expect((await drivesForBackups(computer([own], mounts))).map(({ name, system }) => [name, system])).toEqual([['Data', true]])
  expect(await drivesForBackups(computer([own], ownMounts))).toEqual([])
})

it('knows two disks with the same label apart, and each by one mount point', async () => {
  const second: Disk = { ...stick, name: 'sdd', parts: [{ name: 'sdd1', uuid: '77' }] }
  const facts = computer([own, stick, second], [
    ...ownMounts,
    '40 21 8:17 /photos /home/mia/photos rw - vfat /dev/sdb1 rw',
    '41 21 8:17 / /media/mia/Blue rw - vfat /dev/sdb1 rw',
    '42 21 8:49 / /media/mia/Blue1 rw - vfat /dev/sdd1 rw',
  ])
  expect((await attachedDrives(facts)).all.map(({ id, mount }) => [id, mount])).toEqual([['root-1', '/'], ['EF1-00', '/boot/efi'], ['5A2B-11C0', '/media/mia/Blue'], ['77', '/media/mia/Blue1']])
})

it('knows a folder by its place in a file system, and finds it wherever that is seen', async () => {
  const bound = ['40 21 8:17 /photos /home/mia/photos rw - vfat /dev/sdb1 rw', '41 21 8:17 / /media/mia/Blue\\040Ä rw - vfat /dev/sdb1 rw']
  const { real, ...asked } = computer([own, stick], [...ownMounts, ...bound])
  const there = ['/', '/tmp', '/media/mia/Blue Ä', '/home/mia/photos']
  const attached = await attachedDrives({ ...asked, real: async (path) => (there.includes(path) ? path : real(path)) })
  expect(await attached.of('/media/mia/Blue Ä/Holdfast/new')).toMatchObject({ drive: { id: '5A2B-11C0' }, folder: '/Holdfast/new' })
  expect(await attached.of('/home/mia/photos')).toMatchObject({ drive: { id: '5A2B-11C0' }, folder: '/photos' })
  expect(await attached.of('/media/mia/Blue Ä')).toMatchObject({ folder: '/' })
  // The folder of a mount that is no longer there lies on the disk of the system.
  expect(await attached.of('/media/mia/Red/Holdfast')).toMatchObject({ drive: { id: 'root-1', system: true }, folder: '/media/mia/Red/Holdfast' })
  expect(await attached.of('/tmp/x')).toBeUndefined()
  const elsewhere = (await attachedDrives(computer([own, stick], [...ownMounts, '41 21 8:17 / /media/mia/Blue1 rw - vfat /dev/sdb1 rw']))).all.find(({ id }) => id === '5A2B-11C0')
  expect(elsewhere && [seenAt(elsewhere, '/Holdfast'), seenAt(elsewhere, '/')]).toEqual(['/media/mia/Blue1/Holdfast', '/media/mia/Blue1'])
  const part = (await attachedDrives(computer([own, stick], [...ownMounts, ...bound.slice(0, 1)]))).all.find(({ id }) => id === '5A2B-11C0')
  expect(part && [seenAt(part, '/photos/a'), seenAt(part, '/Holdfast')]).toEqual(['/home/mia/photos/a', undefined])
})

it('a disk that another one was mounted over is not there', async () => {
  const facts = computer([own, stick, cased], [...ownMounts, '40 21 8:17 / /mnt/backup rw - vfat /dev/sdb1 rw', '41 21 8:33 / /mnt/backup rw - exfat /dev/sdc1 rw'])
  expect((await drivesForBackups(facts)).map(({ id }) => id)).toEqual(['9f0e-5'])
})

it('offers no disk that cannot be written, does not answer, or has no id', async () => {
  const facts = computer([own, stick, cased, { name: 'sde', bus: 'pci0000:00/usb3', parts: [{ name: 'sde1' }] }], [
    ...ownMounts, '40 21 8:17 / /media/a ro - vfat /dev/sdb1 rw', '41 21 8:33 / /media/b rw - exfat /dev/sdc1 rw', '42 21 8:65 / /media/c rw - ext4 /dev/sde1 rw',
  ])
  expect(await drivesForBackups({ ...facts, space: async () => undefined })).toEqual([])
  expect((await drivesForBackups(facts)).map(({ mount }) => mount)).toEqual(['/media/b'])
})

it('the encrypted home and the disks below it are the system’s', async () => {
  const vault: Disk = { name: 'dm-0', bus: 'virtual', parts: [{ name: 'dm-0', uuid: 'vault' }] }
  const facts = computer([own, stick, { ...cased, parts: [...cased.parts, { name: 'sdc2' }] }, vault], [
    ...ownMounts, '40 21 0:31 /@home /home rw - btrfs /dev/dm-0 rw', '41 21 8:33 / /mnt/second rw - ext4 /dev/sdc1 rw', '42 21 8:17 / /media/b rw - vfat /dev/sdb1 rw',
  ])
  const withParts: DriveFacts = { ...facts, names: async (folder) => (folder === '/sys/class/block/dm-0/slaves' ? ['sdc2'] : facts.names(folder)) }
  expect((await drivesForBackups(withParts)).map(({ mount }) => mount)).toEqual(['/media/b'])
})

it('lists nothing, and fails in nothing, where the system tells nothing', async () => {
  expect(await drivesForBackups(computer([], []))).toEqual([])
  expect(await drivesForBackups(computer([own], ['nonsense', '', ' - ', '1 2 3 - x']))).toEqual([])
})

it('asks the real system without failing', async () => {
  for (const drive of await drivesForBackups()) expect(drive.id === '' || drive.name === '' || drive.totalBytes <= 0).toBe(false)
  expect((await systemFacts().space(tmpdir()))?.totalBytes).toBeGreaterThan(0)
  expect(await systemFacts().space('/not/there')).toBeUndefined()
})
