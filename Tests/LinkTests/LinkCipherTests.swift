import Bytes
import Cipher
import Crypto
import TestSupport
import Testing

@Suite struct LinkCipherTests {
    @Test func `both faces of the cipher agree, and with rfc 8439's tag lengths`() {
        var random = SeededGenerator("cipher")
        var cipher = DatagramCipher()
        for count in [0, 1, 63, 64, 65, 1_420, 8_920] {
            var (key, text) = (random.bytes(32), random.bytes(count) + [0])
            let counter = random.next()
            var whole = Array(text[..<count]) + [UInt8](repeating: 0, count: 16)
            var other = [UInt8](repeating: 0, count: count + 16)
            var plain = [UInt8](repeating: 1, count: count + 1)
            key.withRegion { key in
                cipher.setSealingKey(key)
                cipher.setOpeningKey(key)
                whole.withRegion { cipher.seal($0, counter: counter) }
                text.withRegion { text in
                    other.withRegion {
                        ChaChaPoly.seal(
                            text.slice(0, count),
                            data: .nowhere,
                            key: key,
                            counter: counter,
                            into: $0
                        )
                    }
                }
            }
            #expect(whole == other)
            let opened = other.withRegion { other in
                plain.withRegion { cipher.open(other, into: $0.slice(0, count), counter: counter) }
            }
            #expect(opened && plain[..<count] == text[..<count])
            let again = other.withRegion { other in
                plain.withRegion {
                    cipher.open(other, into: $0.slice(0, count), counter: counter &+ 1)
                }
            }
            #expect(!again)
            cipher.forget()
            let forgotten = other.withRegion { other in
                plain.withRegion { cipher.open(other, into: $0.slice(0, count), counter: counter) }
            }
            #expect(!forgotten)
        }
    }
}
