/// Keccak as FIPS 202 writes it: lanes by coordinates, constants computed, not copied.
enum ReferenceKeccak {
    static func keccak256(_ input: [UInt8]) -> [UInt8] { sponge(input, padding: 0x01) }
    static func sha3(_ input: [UInt8]) -> [UInt8] { sponge(input, padding: 0x06) }

    private static func sponge(_ input: [UInt8], padding: UInt8) -> [UInt8] {
        var message = input + [padding]
        while message.count % 136 != 0 { message.append(0) }
        message[message.count - 1] |= 0x80
        var state = [[UInt64]](repeating: [UInt64](repeating: 0, count: 5), count: 5)
        for start in stride(from: 0, to: message.count, by: 136) {
            for index in 0..<136 {
                let lane = index / 8
                state[lane % 5][lane / 5] ^=
                    UInt64(message[start + index]) << (8 * UInt64(index % 8))
            }
            state = permute(state)
        }
        return (0..<32).map { UInt8(state[$0 / 8][0] >> (8 * UInt64($0 % 8)) & 255) }
    }

    private static func permute(_ start: [[UInt64]]) -> [[UInt64]] {
        var a = start
        var register: UInt8 = 1
        for _ in 0..<24 {
            let c = a.map { $0.reduce(0, ^) }
            for x in 0..<5 {
                for y in 0..<5 { a[x][y] ^= c[(x + 4) % 5] ^ left(c[(x + 1) % 5], 1) }
            }
            var (x, y) = (1, 0)
            var current = a[x][y]
            for t in 0..<24 {
                (x, y) = (y, (2 * x + 3 * y) % 5)
                (current, a[x][y]) = (a[x][y], left(current, (t + 1) * (t + 2) / 2 % 64))
            }
            for y in 0..<5 {
                let row = (0..<5).map { a[$0][y] }
                for x in 0..<5 { a[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]) }
            }
            for j in 0..<7 {
                if register & 1 == 1 { a[0][0] ^= 1 << UInt64((1 << j) - 1) }
                register = register & 0x80 != 0 ? register << 1 ^ 0x71 : register << 1
            }
        }
        return a
    }

    private static func left(_ value: UInt64, _ count: Int) -> UInt64 {
        count == 0 ? value : value << UInt64(count) | value >> UInt64(64 - count)
    }
}
