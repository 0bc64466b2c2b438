// What `tsredis-benchmark --help` prints.

export function usage(): string {
  return `Usage: redis-benchmark [OPTIONS] [COMMAND ARGS...]

Where to connect
  -h <hostname>       Host name or address (127.0.0.1)
  -p <port>           Port (6379)
  -s <socket>         Unix socket instead of host and port
  -u <uri>            redis://[user:password@]host[:port][/database], rediss:// for TLS
  -a <password>       Password
  --user <username>   User name to go with the password
  --dbnum <db>        Database number (0)
  -3                  Speak RESP3
  --tls               Use TLS; --sni, --cacert, --cacertdir, --insecure, --cert, --key,
                      --tls-ciphers and --tls-ciphersuites as in redis-cli

What to send
  -c <clients>        Parallel connections (50)
  -n <requests>       Requests in all (100000)
  -P <numreq>         Requests sent at once on a connection (1)
  -d <size>           Bytes of a value (3)
  -r <keyspacelen>    Replace __rand_int__ by twelve digits of a random number below this;
                      the default tests then use random keys, members and scores
  --seed <number>     Draw the same random numbers in every run
  -k <boolean>        0: a new connection for each request (1)
  -t <tests>          Only these of the default tests, comma-separated names
  -x                  Take the last argument of the command from standard input
  -l                  Again and again
  -I                  Only open connections, send nothing
  --enable-tracking   CLIENT TRACKING on, on every connection
  --threads <num>     Load from so many threads, each with its part of the connections

How to report
  -q                  One line for each test
  --csv               CSV
  --precision <n>     Significant digits of latencies, 1 to 4 (3)

  --help              This text
  --version           The version

Examples
  redis-benchmark -t set,get -n 1000000 -r 100000 -P 16
  redis-benchmark -r 10000 -n 10000 lpush mylist __rand_int__
`;
}
