// SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fill queues with npm's bull or bullmq, whichever is installed in the folder that is given. Settings come from
// standard input: the same as for fill.py.
'use strict';

const path = require('path');

const TOKEN = 'upkeep-sample';
const LOCK_MILLISECONDS = 30000;
const GONE_MILLISECONDS = 1; // a lock that has run out before anybody can look: what a dead worker leaves
const realNow = Date.now;

// Let the library believe that it is so many seconds earlier. Redis itself keeps the true time.
function setClock(age) {
  Date.now = () => realNow() - age * 1000;
}

function required(job, name) {
  if (!job) {
    throw new Error(`queue ${name} gave no job although one was added`);
  }
  return job;
}

function bull(Queue, settings, plan) {
  const make = (lockDuration) =>
    new Queue(plan.name, { prefix: settings.prefix, redis: settings.connection, settings: { lockDuration } });
  const queue = make(LOCK_MILLISECONDS);
  const dying = make(GONE_MILLISECONDS);
  return {
    ready: () => Promise.all([queue.isReady(), dying.isReady()]),
    add: (job, options) => queue.add(job.job, job.data, options),
    take: async () => required(await queue.getNextJob(), plan.name),
    takeAndDie: async () => required(await dying.getNextJob(), plan.name),
    complete: (job) => job.moveToCompleted('done', true, true),
    fail: (job, reason) => job.moveToFailed(new Error(reason), true),
    pause: () => queue.pause(),
    counts: () => queue.getJobCounts(),
    close: () => Promise.all([queue.close(), dying.close()]),
  };
}

// Where the queue is kept: in Redis, or from 6 on in PostgreSQL, whose tables are made then.
function kept(code, settings) {
  if (!settings.postgresql) {
    return { connection: { ...settings.connection, maxRetriesPerRequest: null }, prefix: settings.prefix };
  }
  code.setDefaultBackendFactory(code.createPostgresBackend);
  return { connection: { ...settings.postgresql, migrate: true } };
}

function bullmq(code, settings, plan) {
  const { Queue, Worker } = code;
  const options = kept(code, settings);
  const queue = new Queue(plan.name, options);
  const make = (lockDuration) => new Worker(plan.name, null, { ...options, autorun: false, lockDuration });
  const worker = make(LOCK_MILLISECONDS);
  const dying = make(GONE_MILLISECONDS);
  const next = async (from) => required(await from.getNextJob(TOKEN, { block: false }), plan.name);
  return {
    ready: () => Promise.all([queue, worker, dying].map((part) => part.waitUntilReady())),
    add: (job, options_) => queue.add(job.job, job.data, options_),
    take: () => next(worker),
    takeAndDie: () => next(dying),
    complete: (job) => job.moveToCompleted('done', TOKEN, false),
    fail: (job, reason) => job.moveToFailed(new Error(reason), TOKEN, false),
    pause: () => queue.pause(),
    counts: () => queue.getJobCounts(),
    close: () => Promise.all([queue, worker, dying].map((part) => part.close())),
  };
}

async function fill(side, plan) {
  await side.ready();
  for (const job of plan.completed) {
    setClock(job.age);
    await side.add(job, {});
    await side.complete(await side.take());
  }
  for (const job of plan.failed) {
    setClock(job.age);
    await side.add(job, { attempts: job.attempts });
    for (let tried = 0; tried < job.attempts; tried += 1) {
      await side.fail(await side.take(), job.reason);
    }
  }
  for (const job of plan.stalled) {
    setClock(job.age);
    await side.add(job, {});
    await side.takeAndDie();
  }
  for (const job of plan.delayed) {
    setClock(0);
    await side.add(job, { delay: job.delay * 1000 });
  }
  for (const job of plan.prioritized) {
    setClock(job.age);
    await side.add(job, { priority: job.priority });
  }
  for (const job of plan.waiting) {
    setClock(job.age);
    await side.add(job, {});
  }
  setClock(0);
  if (plan.paused) {
    await side.pause();
  }
  const counts = await side.counts();
  await side.close();
  return counts;
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
  }
  const settings = JSON.parse(Buffer.concat(chunks).toString());
  const [folder, library] = process.argv.slice(2);
  const code = require(require.resolve(library, { paths: [path.resolve(folder)] }));
  const counts = {};
  for (const plan of settings.queues) {
    counts[plan.name] = await fill((library === 'bull' ? bull : bullmq)(code, settings, plan), plan);
  }
  process.stdout.write(JSON.stringify(counts));
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
