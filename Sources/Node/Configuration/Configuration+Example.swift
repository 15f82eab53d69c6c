extension Configuration {
    /// A file with every key, each at its default where it has one.
    public static let example = """
        # Paths are taken from this file's folder.

        [node]
        data = "/var/lib/dray"              # claims, replay sets, admin socket; locked in use
        keys = "keys"                       # made by dray keygen
        passphrase_file = "passphrase"      # else DRAY_PASSPHRASE
        listen = "192.0.2.17:9091"          # UDP address for packets
        announce = "192.0.2.17:9091"        # address in the register, if another
        admin_socket = "/var/lib/dray/admin.sock"
        log = "info"                        # error, warning, info or debug
        stop_wait_s = 10                    # longest wait for acknowledgements when stopping

        [ledger]
        socket = "/var/lib/dray-ledger/ledger.sock"

        [packet]
        profile = "head"                    # head, v4 or mix13
        # payload_bytes = 1040              # overrides of the profile
        # surb_bytes = 395
        # ticket_selector = "eb13eb11"

        [workers]
        count = 1                           # packet threads
        pin = []                            # their processors; empty: not pinned
        receive_buffers = 128               # for the kernel, each; a power of two
        socket_buffer_kib = 4096            # of the socket, each way
        neighbour_rate = 0                  # packets a second from one neighbour; 0: any number

        [links]
        datagram_bytes = 1452               # of every datagram; 0: as many as the path takes
        peers = 1024                        # neighbours there can be
        backend = "auto"                    # auto, uring or syscalls
        segmentation = true                 # the kernel cuts trains of datagrams apart
        coalescing = true                   # and puts them together: 64 KiB a receive buffer
        constant_rate = 0                   # datagrams a second on every link, filled or not;
                                            # 0: when there is something to send

        [mixing]
        kind = "uniform"                    # uniform, exponential or none
        max_ms = 20
        # mean_ms = 10                      # for exponential, whose max_ms is 1000
        capacity = 20000                    # packets held at once by each worker

        [replay]
        tags = 16777216                     # packets remembered for one packet key, 4.3 bytes each

        [tables]
        issuers_mib = 64                    # for keys whose tickets we check, 256 KiB each
        neighbours_mib = 64                 # for keys whose acknowledgements we check, 192 KiB each

        [acknowledgements]
        wait_ms = 200                       # longest wait for company on the link
        ttl_s = 10                          # how long a ticket waits for its acknowledgement

        [tickets]
        price = 100                         # of one packet and one hop
        minimum_amount = 0                  # smallest amount taken
        win_probability = 1.0               # of tickets that we issue
        minimum_win_probability = 0.0       # smallest one taken
        unacknowledged = 262144             # tickets that each worker can hold
        redeem_s = 60                       # pause between redemptions; 0: only when asked
        nonces = "rfc6979"                  # of our signatures: rfc6979, or hedged with randomness
        self_check = false                  # verify each ticket of ours before it leaves

        [entry]
        # exit = "0x…"                      # chain address of the exit for tunnel and send
        reply_blocks = 200                  # kept in stock at the exit for each name we use
        flows = 256
        idle_s = 60

        [exit]
        targets = []                        # HOST:PORT, exactly as clients name them
        flows = 4096
        flows_per_sender = 64
        flow_rate = 2000                    # packets a second of one sender
        idle_s = 60
        """
}
