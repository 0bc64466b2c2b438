// What `tsredis-cli --help` prints.

export function usage(version: string): string {
  return `redis-cli ${version}

Usage: redis-cli [OPTIONS] [cmd [arg [arg ...]]]

Without a command it opens a prompt; "help" there tells more.

Where to connect
  -h <hostname>          Host name or address (127.0.0.1)
  -p <port>              Port (6379)
  -s <socket>            Unix socket instead of host and port
  -u <uri>               redis://[user:password@]host[:port][/database], rediss:// for TLS
  -n <db>                Database number
  -t <seconds>           Give up connecting after this time
  -c                     Follow cluster redirections (-MOVED and -ASK)
  -2, -3                 Speak RESP2 or RESP3

Who you are
  -a, --pass <password>  Password; REDISCLI_AUTH in the environment is safer
  --user <username>      User name to go with the password
  --askpass              Ask for the password at the terminal
  --no-auth-warning      Don't warn about -a

TLS
  --tls                  Use TLS
  --sni <host>           Server name to send
  --cacert <file>        Certificates to trust
  --cacertdir <dir>      Directory of certificates to trust
  --insecure             Don't check the server's certificate
  --cert <file>          Our certificate
  --key <file>           Our private key
  --tls-ciphers <list>   Ciphers up to TLS 1.2, OpenSSL names joined by colons
  --tls-ciphersuites <list>  Ciphers of TLS 1.3

What to send
  -r <count>             Send the command that often; -1: for ever
  -i <seconds>           Wait between repeats, cycles or samples; may be a fraction
  -x                     Take the last argument from standard input
  -X <tag>               Take the argument that equals <tag> from standard input
  --quoted-input         The arguments are quoted strings: "\\x00" is one byte
  --eval <file>          Run the Lua script in the file: key1 key2 , arg1 arg2
  --pipe                 Send standard input as it is: raw protocol or a command a line
  --pipe-timeout <s>     With --pipe, give up that long after the last reply (30; 0: never)

How to print
  --raw                  As it is (the default when the output is no terminal)
  --no-raw               With types and quotes (the default at a terminal)
  --csv                  As CSV
  --json                 As JSON (uses RESP3 unless -2 is given)
  --quoted-json          As JSON in ASCII
  -d <delimiter>         Between the elements of raw output (newline)
  -D <delimiter>         Between the replies of raw output (newline)
  -e                     Exit with 1 when the command fails, the error on standard error
  --show-pushes <yn>     Print RESP3 pushes (yes at a terminal)
  --verbose              Say more

Looking at a server
  --stat                 Its vital numbers, a line a second
  --latency              Round trips, minimum, maximum, average
  --latency-history      The same in periods of 15 s (-i changes it)
  --latency-dist         The same as a spectrum of 256 colours
  --intrinsic-latency <s>  What this machine adds by itself, without a server
  --scan                 List the keys
  --pattern <pat>        With --scan, --bigkeys, --memkeys or --hotkeys: keys like this only
  --quoted-pattern <pat> The same as a quoted string
  --count <n>            Keys to look at in one step
  --bigkeys              Largest keys by elements
  --memkeys              Largest keys by memory
  --memkeys-samples <n>  The same, with the number of elements to sample
  --hotkeys              Most used keys; needs an LFU maxmemory-policy
  --lru-test <keys>      Simulate a cache and tell the hit rate
  --rdb <file>           Fetch a dump; "-": to standard output
  --functions-rdb <file> Fetch a dump of the functions alone
  --replica              Act as a replica and print what arrives

  --help                 This text
  --version              The version

Examples
  redis-cli set greeting hello
  redis-cli -x set picture < picture.png
  redis-cli -r 5 -i 1 info memory
  redis-cli -D "" --raw dump key | redis-cli -X tag restore copy 0 tag
  redis-cli --scan --pattern 'user:*'
  redis-cli --eval script.lua key1 key2 , arg1
`;
}
