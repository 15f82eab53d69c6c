import Bytes
import Sphinx
import TestSupport
import Testing

private func unpack(_ data: [UInt8], _ geometry: Geometry = .head) -> Drop {
    var block = [UInt8](repeating: 0, count: geometry.payloadBytes)
    block.withRegion { block in
        var data = data
        data.withRegion { Padding.pad($0, into: block) }
    }
    return verdict(block, geometry)
}

private func verdict(_ block: [UInt8], _ geometry: Geometry) -> Drop {
    switch Message.unpack(block, geometry: geometry) {
    case .success: .none
    case .failure(let refusal): refusal.drop
    }
}

@Test func `signals above three are refused`() {
    for signal in UInt8(0)..<16 {
        #expect(unpack([signal << 4, 1]) == (signal <= 3 ? .none : .messageInvalid))
    }
}

@Test(arguments: [395, 401, 402])
func `reply blocks must leave the message longer than themselves`(surbBytes: Int) {
    let geometry = Geometry.mix13.with(surbBytes: surbBytes)
    for count in 1...8 {
        let exact = [UInt8(count)] + [UInt8](repeating: 7, count: count * surbBytes)
        #expect(unpack(exact, geometry) == .none)
        #expect(unpack(Array(exact.dropLast()), geometry) == .messageInvalid)
    }
    #expect(unpack([15, 0, 0], geometry) == .messageInvalid)
}

@Test func `an empty block and an empty message are refused`() {
    let zeros = [UInt8](repeating: 0, count: 1040)
    #expect(verdict(zeros, .head) == .paddingInvalid)
    #expect(unpack([]) == .messageInvalid)
    var dirty = zeros
    dirty[3] = 1
    dirty[500] = Padding.marker
    #expect(verdict(dirty, .head) == .payloadTagged)
}

@Test func `padding and messages go there and back`() throws {
    var random = SeededGenerator("messages")
    for geometry in [Geometry.head, .v4, .mix13] {
        for _ in 0..<50 {
            let surbs = (0..<Int.random(in: 0...2, using: &random)).map { _ in
                random.bytes(geometry.surbBytes)
            }
            let room = geometry.messageBytesMax - surbs.count * geometry.surbBytes
            let text = random.bytes(Int.random(in: 0...room, using: &random))
            let data = Message.encode(signal: .out, surbs: surbs, text: text)
            var block = random.bytes(geometry.payloadBytes)
            block.withRegion { block in
                var data = data
                data.withRegion { Padding.pad($0, into: block) }
            }
            let message = try Message.unpack(block, geometry: geometry).get()
            #expect(message.signal == 3 && message.surbs == surbs && message.text == text)
        }
    }
}

@Test func `random blocks never trap`() {
    var random = SeededGenerator("random blocks")
    for _ in 0..<500 {
        var block = random.bytes(1040)
        let zeros = Int.random(in: 0..<1040, using: &random)
        for index in 0..<zeros { block[index] = 0 }
        if zeros < 1040 { block[zeros] = Padding.marker }
        _ = Message.unpack(block, geometry: .head)
    }
}
