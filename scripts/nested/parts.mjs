// @ts-check
/** What the nested run is made of, and where it is kept: nothing of it is installed. */
import {homedir} from 'node:os';
import {join} from 'node:path';

/** Debian packages; the generic kernel is the newest of this release, the small ones lack KVM. */
export const KERNEL = 'linux-image-amd64';
export const PACKAGES = ['busybox-static', 'libc6', 'libgcc-s1', 'libcap-ng0'];

/** The libraries of krunvm's, from npm packages that carry them. */
export const LIBRARIES = [
  {
    name: '@earendil-works/gondolin-krun-runner-linux-x64',
    version: '0.12.0',
    integrity:
      'sha512-RRYsgwe2r5ApKmFNy469QgwnyjAHpAs9XANdWpTd9ol4iUYOY3sX7e0xIooAKxd+ktxGI4N/xRWicwGen3D/Ow==',
    member: 'package/lib/libkrun.so.1.17.4',
    file: 'libkrun.so.1',
  },
  {
    name: '@superradcompany/microsandbox-linux-x64-gnu',
    version: '0.7.2',
    integrity:
      'sha512-5gmMDYjyGXtx+13rWKeI0/f6x7ecDg6aMFVCupgr23IQODQLuGsbvn70LyXUrT0bOlYhle6i4uum2+AwVKTU8Q==',
    member: 'package/lib/libkrunfw.so.5.6.1',
    file: 'libkrunfw.so.5',
  },
];

/** @param {NodeJS.ProcessEnv} env */
export const cacheFolder = (env) =>
  env.AGENT_NESTED_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'agent-nested');
