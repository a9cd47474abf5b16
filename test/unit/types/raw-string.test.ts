import { expect } from 'chai';
import fc from 'fast-check';
import { RawString } from '../../../src/types/raw-string.js';

const bytes = fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b).toString('latin1'));

describe('RawString', () => {
	it('does what a string of zero-filled bytes does, under any program', () => {
		const step = fc.oneof(
			fc.record({ op: fc.constant('append' as const), text: bytes, at: fc.constant(0) }),
			fc.record({ op: fc.constant('write' as const), text: bytes, at: fc.nat(120) }),
			fc.record({ op: fc.constant('byte' as const), text: bytes, at: fc.nat(200) }),
			fc.record({ op: fc.constant('grow' as const), text: bytes, at: fc.nat(200) }),
		);
		fc.assert(
			fc.property(bytes, fc.array(step, { maxLength: 40 }), (start, steps) => {
				const raw = RawString.from(start);
				let model = start;
				const pad = (length: number): void => {
					model = model.padEnd(length, '\0');
				};
				for (const { op, text, at } of steps) {
					if (op === 'append') {
						raw.append(text);
						model += text;
					} else if (op === 'write') {
						raw.writeAt(at, text);
						if (text !== '') pad(at);
						model = text === '' ? model : model.slice(0, at) + text + model.slice(at + text.length);
					} else if (op === 'byte') {
						raw.setByteAt(at, 65);
						pad(at);
						model = `${model.slice(0, at)}A${model.slice(at + 1)}`;
					} else {
						raw.growTo(at);
						pad(at);
					}
					expect(raw.length).equal(model.length);
					expect(raw.slice()).equal(model);
				}
				expect(raw.slice(2, 9)).equal(model.slice(2, 9));
				expect(raw.toBuffer().toString('latin1')).equal(model);
				expect(raw.byteAt(model.length)).equal(0);
				const copy = raw.clone();
				copy.append('x');
				expect(raw.slice()).equal(model);
			}),
		);
	});
});
