# The tests' media process for many rooms on one machine: what `fake_media_process.py meeting` does, started in 2 ms instead of 50,
# so that a bench with 212 rooms measures the rooms. Arguments: --control-fd N.

my $fd = $ARGV[-1];
open(my $in, '<&=', $fd) or die $!;
open(my $out, '>&=', $fd) or die $!;
select($out);
$| = 1;

sub devices {
    my ($open) = @_;
    for my $device ('camera', 'microphone') {
        print qq({"kind":"device","device":"$device","open":$open,"status":{"status":"ok","code":"ok","text":""}}\n);
    }
}

sub sources {
    my ($play) = $_[0] =~ /"play":\[(.*?)\]/ or return;
    print qq({"kind":"downlink","url":"$_","state":"flowing"}\n) for $play =~ /"url":"([^"]+)"/g;
}

print qq({"kind":"ready","pid":$$,"engine":"fake"}\n);
while (my $line = <$in>) {
    my ($kind) = $line =~ /"kind":"([^"]+)"/;
    if ($kind eq 'start') {
        devices('true');
        print qq({"kind":"uplink","state":"flowing"}\n);
        sources($line);
    } elsif ($kind eq 'stop') {
        devices('false');
        last;
    } elsif ($line =~ /"request":"([^"]*)"/) {
        my $request = $1;
        sources($line);
        print qq({"kind":"applied","request":"$request"}\n);
    }
}
