import Sphinx
import Testing

@Test func `each profile has the sizes of the specification`() {
    #expect(Geometry.head.packetBytes == 1461)
    #expect(Geometry.v4.packetBytes == 1459)
    #expect(Geometry.mix13.packetBytes == 3669)
    #expect(Geometry.entryBytes == 74)
    #expect(Geometry.extendedHeaderBytes == 315)
    #expect(Geometry.payloadOffset == 289)
    #expect(Geometry.head.ackCapacity == 10)
    #expect(Geometry.v4.ackCapacity == 10)
    #expect(Geometry.mix13.ackCapacity == 33)
    #expect(Geometry(named: "head") == .head)
    #expect(Geometry(named: "v5") == nil)
    #expect(Geometry.head.surbCapacity(textBytes: 0) == 2)
    #expect(Geometry.mix13.surbCapacity(textBytes: 3000) == 0)
}
