import Bytes
import Datapath
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite(.serialized) struct SocketTests {
    @Test func `a port that another socket shares is in use all the same`() throws {
        let first = try DatagramSocket(.loopback(port: 0), shared: true, bufferBytes: 0)
        let address = first.address
        let second = try DatagramSocket(address, shared: true, bufferBytes: 0)
        #expect(throws: DatapathError.portInUse(address.port)) {
            try DatagramSocket.probe(address, patienceNanos: 20_000_000)
        }
        #expect(throws: DatapathError.portInUse(address.port)) {
            _ = try DatagramSocket(address, shared: false, bufferBytes: 0)
        }
        #expect(second.address == address)
    }

    @Test func `a port that the kernel chooses is nobody else's`() throws {
        // By chance alone, two of so many shared ones would meet in nearly every run.
        var sockets: [SocketBox] = []
        for _ in 0..<8 {
            sockets = try (0..<200).map { _ in
                SocketBox(try DatagramSocket(.loopback(port: 0), shared: true, bufferBytes: 0))
            }
            #expect(Set(sockets.map { $0.socket.address.port }).count == sockets.count)
        }
        let another = try DatagramSocket(sockets[0].socket.address, shared: true, bufferBytes: 0)
        #expect(another.address == sockets[0].socket.address)
    }

    @Test(arguments: Way.all)
    func `an address is free as soon as its port is gone`(_ way: Way) throws {
        let address = try TestPort(way).address
        try DatagramSocket.probe(address)
    }

    @Test func `an address that becomes free while it is asked for is free`() throws {
        var holder = try DatagramSocket(.loopback(port: 0), shared: false, bufferBytes: 0)
        let address = holder.address
        let (begun, ended) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let free = Atomic(false)
        Thread.detachNewThread {
            begun.signal()
            let found = try? DatagramSocket.probe(address, patienceNanos: 60_000_000_000)
            free.store(found != nil, ordering: .sequentiallyConsistent)
            ended.signal()
        }
        begun.wait()
        // A good many tries, on most machines.
        usleep(100_000)
        holder = try DatagramSocket(.loopback(port: 0), shared: false, bufferBytes: 0)
        ended.wait()
        let isFree = free.load(ordering: .sequentiallyConsistent)
        #expect(isFree)
        #expect(holder.address != address)
    }

    @Test func `an address of another machine is refused`() throws {
        var address = Bytes16()
        for (index, byte) in [192, 0, 2, 1].enumerated() { address[index] = UInt8(byte) }
        #expect(throws: DatapathError.noSuchAddress) {
            _ = try DatagramSocket(
                DatagramAddress(family: 4, address: address, port: 9_999),
                shared: false,
                bufferBytes: 0
            )
        }
    }

    @Test func `another thread sends from the same address`() throws {
        let left = try TestPort(.automatic)
        let right = try TestPort(.automatic)
        let copy = try left.port.socket.duplicate()
        #expect(copy.address == left.address)
        let bytes = Memory(5)
        let sent = copy.send(bytes.region, to: right.address)
        #expect(sent)
        #expect(right.receive(1).map(\.source) == [left.address])
        var six = Bytes16()
        six[15] = 1
        let other = copy.send(
            bytes.region,
            to: DatagramAddress(family: 6, address: six, port: 9)
        )
        #expect(!other)
        withExtendedLifetime(bytes) {}
    }

    /// Two ends of a unix socket.
    private func ends(_ type: __socket_type = SOCK_STREAM) -> (Int32, Int32) {
        var both: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(type.rawValue), 0, &both) == 0)
        return (both[0], both[1])
    }

    @Test(arguments: Way.two)
    func `a socket that is handed on keeps its address and what has come`(_ way: Way) throws {
        let (mine, theirs) = ends()
        let left = try TestPort(way)
        let address: DatagramAddress
        do {
            let socket = try DatagramSocket(.loopback(port: 0), shared: true, bufferBytes: 1 << 20)
            address = socket.address
            left.send([1, 2], segment: 1, to: address)
            try withExtendedLifetime(socket) {
                try DescriptorPassing.send([42], [socket.descriptor], over: mine)
            }
        }
        let message = try DescriptorPassing.receive(over: theirs, bytesMax: 16, descriptorsMax: 4)
        #expect(message.bytes == [42] && message.descriptors.count == 1)
        let right = try TestPort(
            way.backend,
            socket: DatagramSocket(adopting: message.descriptors[0])
        )
        #expect(right.address == address)
        left.send([3], to: address)
        #expect(right.receive(3).map(\.bytes).flatMap { $0 } == [1, 2, 3])
        close(mine)
        let end = try DescriptorPassing.receive(over: theirs, bytesMax: 16, descriptorsMax: 4)
        #expect(end.bytes.isEmpty && end.descriptors.isEmpty)
        close(theirs)
    }

    private func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

    @Test func `many descriptors go in one message, too many are refused and closed`() throws {
        let (mine, theirs) = ends(SOCK_SEQPACKET)
        defer { [mine, theirs].forEach { close($0) } }
        let many = [Int32](repeating: mine, count: 64)
        try DescriptorPassing.send([1, 2, 3], many, over: mine)
        let message = try DescriptorPassing.receive(over: theirs, bytesMax: 3, descriptorsMax: 64)
        #expect(message.bytes == [1, 2, 3] && message.descriptors.count == 64)
        #expect(message.descriptors.allSatisfy { fcntl($0, F_GETFD) == FD_CLOEXEC })
        let highest = message.descriptors.max() ?? 0
        message.descriptors.forEach { close($0) }
        let tooMany = DatapathError.system("receive descriptors", EMSGSIZE)
        try DescriptorPassing.send([1], [mine, mine, mine], over: mine)
        #expect(throws: tooMany) {
            try DescriptorPassing.receive(over: theirs, bytesMax: 1, descriptorsMax: 2)
        }
        try DescriptorPassing.send([1, 2], [mine], over: mine)
        #expect(throws: tooMany) {
            try DescriptorPassing.receive(over: theirs, bytesMax: 1, descriptorsMax: 2)
        }
        try DescriptorPassing.send([1], [], over: mine)
        let none = try DescriptorPassing.receive(over: theirs, bytesMax: 1, descriptorsMax: 0)
        #expect(none.descriptors.isEmpty && highest > theirs)
        #expect(throws: DatapathError.system("send descriptors", EMSGSIZE)) {
            try DescriptorPassing.send([1], many + [mine], over: mine)
        }
        #expect(throws: DatapathError.system("send descriptors", EMSGSIZE)) {
            try DescriptorPassing.send([], [mine], over: mine)
        }
    }

    @Test func `what is no UDP socket is not adopted`() throws {
        let (mine, theirs) = ends()
        defer { close(theirs) }
        #expect(throws: DatapathError.system("adopt a socket", EPROTOTYPE)) {
            _ = try DatagramSocket(adopting: mine)
        }
        #expect(!isOpen(mine))
    }
}

private final class SocketBox {
    let socket: DatagramSocket

    init(_ socket: consuming DatagramSocket) { self.socket = socket }
}
