import { expect } from 'chai';
import { crc16, keySlot } from '../../../src/base/crc16.js';

describe('crc16', () => {
	it('has the check value of CRC-16/XMODEM', () => {
		expect(crc16('123456789')).to.equal(0x31c3);
	});

	it('hashes the tag alone where there is one', () => {
		expect(keySlot('foo')).to.equal(12182);
		expect(keySlot('{user1000}.following')).to.equal(keySlot('{user1000}.followers'));
		expect(keySlot('{user1000}.following')).to.equal(crc16('user1000') & 16383);
		expect(keySlot('foo{}{bar}')).to.equal(crc16('foo{}{bar}') & 16383);
		expect(keySlot('foo{{bar}}zap')).to.equal(crc16('{bar') & 16383);
		expect(keySlot('foo{bar}{zap}')).to.equal(crc16('bar') & 16383);
		expect(keySlot('foo{bar')).to.equal(crc16('foo{bar') & 16383);
		expect(keySlot('')).to.equal(0);
	});
});
