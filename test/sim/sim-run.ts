/**
 * One run of the simulation: a master, three replicas and a chained one, to whom things happen for a while that a seed
 * decides: writes, links that drop, stall or are cut anywhere, partitions, restarts, crashes, promotions. Then they are
 * left in peace, and must come to have the same log and the same dataset. Throughout, no replica may continue where its
 * log is not its master's, nor load everything where the rules let it continue.
 */
import { SeededRandom } from '../support/random.js';
import { SimClock } from './sim-clock.js';
import { SimNetwork } from './sim-network.js';
import { SimNode, type SimWorld } from './sim-node.js';

const NAMES = ['A', 'B', 'C', 'D', 'E'];
const TRANSCRIPT_LINES_MAX = 400;
const STEPS_MAX = 120;
const SETTLE_MS_MAX = 120_000;

export interface SimResult {
	/** What went wrong, or null. */
	readonly fault: string | null;
	readonly transcript: readonly string[];
	readonly full: number;
	readonly partial: number;
}

class SimRun implements SimWorld {
	readonly clock = new SimClock();
	readonly random: SeededRandom;
	readonly network: SimNetwork;
	readonly nodes: SimNode[];
	readonly counts = { full: 0, partial: 0 };
	isCalm = false;
	firstFault: string | null = null;
	transcript: string[] = [];

	constructor(seed: number) {
		this.random = new SeededRandom(seed);
		this.network = new SimNetwork(this.clock, this.random);
		this.nodes = NAMES.map((name) => new SimNode(this, name, this.random.chance(0.8)));
	}

	node(name: string): SimNode {
		return this.nodes[NAMES.indexOf(name)]!;
	}

	note(text: string): void {
		this.transcript.push(`${this.clock.nowMs} ${text}`);
		if (this.transcript.length > 2 * TRANSCRIPT_LINES_MAX)
			this.transcript = this.transcript.slice(-TRANSCRIPT_LINES_MAX);
	}

	fault(text: string): void {
		this.note(`FAULT: ${text}`);
		this.firstFault ??= text;
	}

	/** Whom the node is to follow, as things stand: null for a master. */
	private readonly masters = new Map<string, string | null>();

	run(): void {
		const { random } = this;
		for (const name of NAMES) this.masters.set(name, name === 'A' ? null : name === 'E' ? 'D' : 'A');
		for (const node of this.nodes) node.start(this.masters.get(node.name)!);
		const steps = 20 + random.below(STEPS_MAX);
		for (let i = 0; i < steps && this.firstFault === null; i++) {
			this.clock.runUntil(this.clock.nowMs + random.below(random.chance(0.1) ? 8000 : 400));
			this.disturb();
			for (let n = random.below(4); n > 0; n--) this.write();
		}
		if (this.firstFault === null) this.settle();
	}

	private write(): void {
		const { random } = this;
		const masters = this.nodes.filter((node) => node.isUp && !node.state.isReplica);
		if (masters.length === 0) return;
		const command = (): string[] => {
			const key = `k${random.below(30)}`;
			if (random.chance(0.2)) return ['DEL', key];
			return ['SET', key, 'v'.repeat(random.below(random.chance(0.05) ? 3000 : 30)) + random.below(1e6)];
		};
		const count = random.chance(0.3) ? 2 + random.below(4) : 1;
		random.pick(masters).write(random.times(count, command));
	}

	private disturb(): void {
		const { random, network } = this;
		const node = random.pick(this.nodes);
		switch (random.below(14)) {
			case 0:
			case 1:
				return network.cutRandom();
			case 2:
				return network.stallRandom(random.below(random.chance(0.3) ? 9000 : 1000));
			case 3:
				return network.partition(random.pick(NAMES), node.name);
			case 4:
			case 5:
				return network.heal(random.pick(NAMES), node.name);
			case 6:
			case 7:
				if (node.isUp) node.stop(random.pick(['clean', 'kill', 'power'] as const));
				return;
			case 8:
			case 9:
			case 10:
				if (!node.isUp) node.start(this.masters.get(node.name)!);
				return;
			case 11:
				if (node.isUp) node.trim();
				return;
			case 12:
				return this.failOver(node);
			default:
				return this.move(node);
		}
	}

	/** The node becomes master; the others learn of it, or some do not. */
	private failOver(node: SimNode): void {
		this.masters.set(node.name, null);
		if (node.isUp) node.promote();
		for (const other of this.nodes) {
			if (other === node || this.random.chance(0.3) || this.isAbove(other.name, node.name)) continue;
			this.redirect(other, node.name);
		}
	}

	/** The node gets another master, but none that follows it. */
	private move(node: SimNode): void {
		const target = this.random.pick(NAMES);
		if (target === node.name || this.isAbove(node.name, target)) return;
		this.redirect(node, target);
	}

	private redirect(node: SimNode, target: string): void {
		if (this.masters.get(node.name) === target) return;
		this.masters.set(node.name, target);
		if (node.isUp) node.follow(target);
	}

	/** Whether `name` is a master of `other`, directly or not. */
	private isAbove(name: string, other: string): boolean {
		for (let at: string | null = other; at !== null; at = this.masters.get(at)!) if (at === name) return true;
		return false;
	}

	private settle(): void {
		this.note('--- in peace');
		this.isCalm = true;
		this.network.healAll();
		this.network.delayMsMax = 5;
		for (const node of this.nodes) if (!node.isUp) node.start(this.masters.get(node.name)!);
		const roots = NAMES.filter((name) => this.masters.get(name) === null);
		const root = this.random.pick(roots);
		for (const other of roots) if (other !== root) this.redirect(this.node(other), root);
		const endMs = this.clock.nowMs + SETTLE_MS_MAX;
		// Beyond the timeouts, so that nothing of before is left; then until the writes have come through.
		this.clock.runUntil(this.clock.nowMs + 12_000);
		for (let i = 0; i < 5; i++) this.write();
		while (this.clock.nowMs < endMs && !this.isSettled(root)) this.clock.runUntil(this.clock.nowMs + 50);
		if (this.firstFault === null && !this.isSettled(root))
			this.fault(`not the same at last: ${this.describe()}`);
	}

	private isSettled(root: string): boolean {
		const master = this.node(root);
		return this.nodes.every(
			(node) =>
				(node === master || node.isConnected) &&
				node.log.endOffset === master.log.endOffset &&
				node.dataset.digest === master.dataset.digest &&
				node.state.replid === master.state.replid,
		);
	}

	private describe(): string {
		return this.nodes
			.map(
				(node) =>
					`${node.name}<-${this.masters.get(node.name)} ${node.link.phase} ${node.log.endOffset} ` +
					`${node.dataset.digest} ${node.state.replid.slice(0, 6)}`,
			)
			.join('; ');
	}
}

export function simulate(seed: number): SimResult {
	const run = new SimRun(seed);
	run.run();
	const { firstFault, transcript, counts } = run;
	return { fault: firstFault, transcript: transcript.slice(-TRANSCRIPT_LINES_MAX), ...counts };
}
