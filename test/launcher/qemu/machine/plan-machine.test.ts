import {describe, expect, it} from 'vitest';
import {planMachine} from '../../../../src/launcher/qemu/machine/plan-machine.js';
import {candidate, request, values} from './some-machine.js';

describe('planMachine', () => {
  it('plans a guest without acceleration', () => {
    expect(planMachine(request())).toMatchInlineSnapshot(`
      {
        "args": [
          "-name",
          "guest=agent-0123-python-1",
          "-machine",
          "q35,hpet=on,sata=off,smbus=off,smm=off,vmport=off,usb=off,graphics=off,mem-merge=off,dump-guest-core=off",
          "-accel",
          "tcg,thread=multi,tb-size=256",
          "-cpu",
          "Nehalem-v1,+rdrand",
          "-smp",
          "2",
          "-m",
          "256M",
          "-nodefaults",
          "-no-user-config",
          "-no-reboot",
          "-display",
          "none",
          "-kernel",
          "/proc/self/fd/5",
          "-initrd",
          "/proc/self/fd/6",
          "-append",
          "console=ttyS0 quiet panic=-1 mitigations=off nokaslr lsm=none init_on_alloc=0 random.trust_cpu=on reboot=t pti=off no_timer_check agent.root=/dev/vda agent.upper=/dev/vdb agent.persist=/dev/vdc agent.host=python-1",
          "-chardev",
          "socket,id=console,fd=4",
          "-serial",
          "chardev:console",
          "-device",
          "virtio-serial-pci,id=serial,max_ports=2",
          "-chardev",
          "socket,id=channel,fd=3",
          "-device",
          "virtserialport,bus=serial.0,nr=1,chardev=channel,name=agent.channel",
          "-add-fd",
          "fd=7,set=7",
          "-blockdev",
          "driver=raw,node-name=root,file.driver=file,file.filename=/dev/fdset/7,read-only=on,file.locking=off",
          "-device",
          "virtio-blk-pci,drive=root,rerror=report",
          "-add-fd",
          "fd=8,set=8",
          "-blockdev",
          "driver=raw,node-name=upper,file.driver=file,file.filename=/dev/fdset/8,discard=unmap,detect-zeroes=unmap,file.discard=unmap,file.locking=on",
          "-device",
          "virtio-blk-pci,drive=upper,werror=report,rerror=report",
          "-add-fd",
          "fd=9,set=9",
          "-blockdev",
          "driver=raw,node-name=persist,file.driver=file,file.filename=/dev/fdset/9,discard=unmap,detect-zeroes=unmap,file.discard=unmap,file.locking=on",
          "-device",
          "virtio-blk-pci,drive=persist,werror=report,rerror=report",
          "-sandbox",
          "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        ],
        "files": [
          {
            "path": "/state/boot/kernel-1",
            "writable": false,
          },
          {
            "path": "/state/boot/initramfs-1",
            "writable": false,
          },
          {
            "path": "/images/root",
            "writable": false,
          },
          {
            "path": "/vm/upper.img",
            "writable": true,
          },
          {
            "path": "/vm/persist.img",
            "writable": true,
          },
        ],
        "savePath": null,
      }
    `);
  });

  it('plans a guest with KVM: microvm and its own bus', () => {
    expect(
      planMachine(request({candidate: candidate('kvm microvm'), network: 'allow_all'})),
    ).toMatchInlineSnapshot(`
      {
        "args": [
          "-name",
          "guest=agent-0123-python-1",
          "-machine",
          "microvm,x-option-roms=off,rtc=on,mem-merge=off,dump-guest-core=off",
          "-accel",
          "kvm",
          "-cpu",
          "host",
          "-smp",
          "2",
          "-m",
          "256M",
          "-nodefaults",
          "-no-user-config",
          "-no-reboot",
          "-display",
          "none",
          "-kernel",
          "/proc/self/fd/5",
          "-initrd",
          "/proc/self/fd/6",
          "-append",
          "console=ttyS0 quiet panic=-1 mitigations=off nokaslr lsm=none init_on_alloc=0 random.trust_cpu=on reboot=t pti=off no_timer_check agent.root=/dev/vda agent.upper=/dev/vdb agent.persist=/dev/vdc agent.net=10.0.2.15/24,10.0.2.2,10.0.2.3 agent.host=python-1",
          "-chardev",
          "socket,id=console,fd=4",
          "-serial",
          "chardev:console",
          "-device",
          "virtio-serial-device,bus=virtio-mmio-bus.7,id=serial,max_ports=2",
          "-chardev",
          "socket,id=channel,fd=3",
          "-device",
          "virtserialport,bus=serial.0,nr=1,chardev=channel,name=agent.channel",
          "-add-fd",
          "fd=7,set=7",
          "-blockdev",
          "driver=raw,node-name=root,file.driver=file,file.filename=/dev/fdset/7,read-only=on,file.locking=off",
          "-device",
          "virtio-blk-device,bus=virtio-mmio-bus.6,drive=root,rerror=report",
          "-add-fd",
          "fd=8,set=8",
          "-blockdev",
          "driver=raw,node-name=upper,file.driver=file,file.filename=/dev/fdset/8,discard=unmap,detect-zeroes=unmap,file.discard=unmap,file.locking=on",
          "-device",
          "virtio-blk-device,bus=virtio-mmio-bus.5,drive=upper,werror=report,rerror=report",
          "-add-fd",
          "fd=9,set=9",
          "-blockdev",
          "driver=raw,node-name=persist,file.driver=file,file.filename=/dev/fdset/9,discard=unmap,detect-zeroes=unmap,file.discard=unmap,file.locking=on",
          "-device",
          "virtio-blk-device,bus=virtio-mmio-bus.4,drive=persist,werror=report,rerror=report",
          "-netdev",
          "user,id=net,ipv4=on,ipv6=off,net=10.0.2.0/24,host=10.0.2.2,dns=10.0.2.3",
          "-device",
          "virtio-net-device,bus=virtio-mmio-bus.3,netdev=net",
          "-sandbox",
          "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        ],
        "files": [
          {
            "path": "/state/boot/kernel-1",
            "writable": false,
          },
          {
            "path": "/state/boot/initramfs-1",
            "writable": false,
          },
          {
            "path": "/images/root",
            "writable": false,
          },
          {
            "path": "/vm/upper.img",
            "writable": true,
          },
          {
            "path": "/vm/persist.img",
            "writable": true,
          },
        ],
        "savePath": null,
      }
    `);
  });

  it.each([
    ['tcg', 'linux', 'aarch64', 'gic-version=3', 'cortex-a57'],
    ['kvm virt', 'linux', 'aarch64', 'gic-version=host', 'host'],
    ['hvf virt', 'darwin', 'aarch64', 'virt,', 'host'],
    ['hvf q35', 'darwin', 'x86_64', 'q35,', 'host'],
  ] as const)('plans %s on %s %s', (name, platform, architecture, machine, cpu) => {
    const {args} = planMachine(request({candidate: candidate(name, platform, architecture), architecture}));
    expect(values(args, '-machine')[0]).toContain(machine);
    expect(values(args, '-cpu')).toEqual([cpu]);
    expect(values(args, '-append')[0]).toMatch(
      architecture === 'aarch64' ? /^console=ttyAMA0 / : /^console=ttyS0 /,
    );
  });

  it('has no network device and no mention of one for none', () => {
    const {args} = planMachine(request({network: 'none'}));
    expect(args.join(' ')).not.toMatch(/netdev|virtio-net|agent\.net|slirp|user,/);
    expect(args).toContain('-nodefaults');
  });

  it('tells the guest its address for allow_all', () => {
    const {args} = planMachine(request({network: 'allow_all'}));
    expect(values(args, '-append')[0]).toContain('agent.net=10.0.2.15/24,10.0.2.2,10.0.2.3');
    expect(values(args, '-netdev')).toHaveLength(1);
    expect(values(args, '-device').at(-1)).toBe('virtio-net-pci,netdev=net,romfile=');
  });

  it('keeps writes in memory where the VM has no disk of its own', () => {
    const disks = {rootPath: '/images/root', upperPath: null, persistPath: null};
    const {args, files} = planMachine(request({disks}));
    expect(values(args, '-append')[0]).toContain('agent.root=/dev/vda agent.upper=tmpfs agent.host');
    expect(files.some(({writable}) => writable)).toBe(false);
  });

  it('counts disks as the guest does', () => {
    const disks = {rootPath: '/images/root', upperPath: null, persistPath: '/vm/persist.img'};
    const {args} = planMachine(request({disks}));
    expect(values(args, '-append')[0]).toContain('agent.upper=tmpfs agent.persist=/dev/vdb');
    expect(values(args, '-device').filter((device) => device.includes('blk'))).toEqual([
      'virtio-blk-pci,drive=root,rerror=report',
      'virtio-blk-pci,drive=persist,werror=report,rerror=report',
    ]);
  });

  it('gives the probe neither disks nor agent parameters', () => {
    const {args} = planMachine(request({disks: null}));
    expect(values(args, '-append')[0]).not.toContain('agent.');
    expect(args.join(' ')).not.toContain('blk');
  });

  it('opens only the root image read-only, and passes no private path', () => {
    const {args, files} = planMachine(request());
    expect(files).toEqual([
      {path: '/state/boot/kernel-1', writable: false},
      {path: '/state/boot/initramfs-1', writable: false},
      {path: '/images/root', writable: false},
      {path: '/vm/upper.img', writable: true},
      {path: '/vm/persist.img', writable: true},
    ]);
    for (const {path} of files) expect(args.join(' ')).not.toContain(path);
  });

  it('names the kernel by path where there is no /proc', () => {
    const {args, files} = planMachine(request({openKernelByFd: false}));
    expect(values(args, '-kernel')).toEqual(['/state/boot/kernel-1']);
    expect(files).toHaveLength(3);
    expect(values(args, '-add-fd')).toEqual(['fd=5,set=5', 'fd=6,set=6', 'fd=7,set=7']);
  });

  it.each(['a b', 'x init=/bin/sh', 'x"y', 'x\ny'])('refuses the host name %j', (hostName) => {
    expect(() => planMachine(request({hostName}))).toThrow('Not a kernel parameter');
  });
});
