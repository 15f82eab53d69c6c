import Bytes
import Trace

/// A trace file: everything in it but the checksums, which are made good here. What is read lies in
/// the file, and written again it reads the same.
func fuzzTraceFile(_ input: [UInt8]) {
    var input = input
    input.withRegion { file in
        sealAll(file)
        guard let (header, records) = readAll(file) else { return }
        let kept = records.reduce(0) { $0 + $1.kept.byteCount }
        precondition(kept + TraceFormat.headerBytes <= file.byteCount)
        for record in records {
            let first = record.kept.address - file.address
            precondition(first + UInt64(record.kept.byteCount) <= UInt64(file.byteCount))
        }
        var again = written(header, records)
        again.withRegion { copy in
            guard let (sameHeader, sameRecords) = readAll(copy) else { fatalError("unreadable") }
            precondition(sameHeader == header && sameRecords.count == records.count)
            for (one, other) in zip(records, sameRecords) {
                precondition(one.nanos == other.nanos && one.kept.array == other.kept.array)
                precondition(one.link == other.link && one.direction == other.direction)
                precondition(one.kind == other.kind && one.size == other.size)
            }
        }
    }
}

private func sealAll(_ file: Region) {
    guard file.byteCount >= TraceFormat.headerBytes else { return }
    TraceFormat.seal(file.slice(0, TraceFormat.headerBytes))
    var place = TraceFormat.headerBytes
    while file.byteCount - place >= TraceFormat.blockHeadBytes {
        let records = Int(UInt32(littleEndian: file.load(place)))
        let bytes = TraceFormat.blockHeadBytes + records + 16
        guard bytes <= file.byteCount - place else { return }
        TraceFormat.seal(file.slice(place, bytes))
        place += bytes
    }
}

private func readAll(_ file: Region) -> (TraceHeader, [TraceRecord])? {
    var records: [TraceRecord] = []
    guard let header = try? TraceReader.read(file, each: { records.append($0) }) else { return nil }
    return (header, records)
}

private func written(_ header: TraceHeader, _ records: [TraceRecord]) -> [UInt8] {
    let memory = Memory(TraceWriter.leastBytes(keeping: header.keptBytesMax) + 512)
    let head = Memory(TraceFormat.headerBytes)
    var writer = TraceWriter(header, memory: memory.region)
    writer.begin(into: head.region)
    var file = head.region.array
    for record in records {
        if writer.append(record) { continue }
        if let block = writer.block() { file += block.array }
        precondition(writer.append(record))
    }
    if let block = writer.block() { file += block.array }
    return file + writer.end().array
}
