use strict; use Time::HiRes qw(time); $|=1;
my ($block,$rate,$order,$limit)=@ARGV; my ($N,$P)=(256,4096); my $T=$N*$P;
sub say_ { print join(' ',@_),"\n" }
sub end_ { say_('end',@_); exit 0 }
sub available { open my $f,'<','/proc/meminfo' or return -1; while(<$f>){ return $1 if /^MemAvailable:\s+(\d+)/ } -1 }
sub usage { open my $f,'<','/proc/self/stat'; my $l=<$f>; $l=~s/^.*\) //s; my @a=split ' ',$l; my @t=times;
  return ($a[7],$t[0],$t[1]) }
if(open my $f,'>','/proc/self/oom_score_adj'){ print $f 1000 }
say_('# esxprobe experiment/1 perl');
my $cpus=0; if(open my $f,'<','/proc/cpuinfo'){ while(<$f>){ $cpus++ if /^processor/ } }
say_('facts',"cpus=".($cpus||1),"available_kb=".available(),"page=4096","pages=$N");
sub low { my $k=available(); my $m=4*$T/1024; $m=262144 if $m<262144; return $k>=0 && $k<$m }
end_('memory') if low();
my $y; vec($y,$T-1,8)=0;
sub fresh { my $x; vec($x,$T-1,8)=0; my $t=time; undef $x; return $t }
sub sham { for(my $i=0;$i<$T;$i+=$P){ vec($y,$i,8)=1 } }
fresh() for 1..20;
my (@first,@back,@sham); my @was=usage(); my $begin=time;
while(time-$begin<1 || @first<20){ my $t0=time; my $t1=fresh(); my $t2=time; push @first,$t1-$t0; push @back,$t2-$t1;
  last if @first>=2000 }
my @now=usage(); for(1..20){ my $t0=time; sham(); push @sham,time-$t0 }
my $r=@first; @first=sort{$a<=>$b}@first; @back=sort{$a<=>$b}@back; @sham=sort{$a<=>$b}@sham;
sub of_ { my($v,$p)=@_; sprintf '%.3f',$v->[int($p*($#$v))]/$N*1e6 }
my $spent=($now[1]+$now[2]-$was[1]-$was[2])/$r/$N*1e6-$back[$#back/2]/$N*1e6; $spent=0 if $spent<0;
my $each=($now[0]-$was[0])/$r/$N;
say_('cal',$N,of_(\@first,.1),of_(\@first,.5),of_(\@first,.9),sprintf('%.3f',$spent),of_(\@back,.5),of_(\@sham,.5),
  sprintf('%.4f',$each));
end_('not counted') if $each<0.98 || $each>1.05;
end_('done') unless length $order;
my ($pages,@on)=(0,0,0,0); my @zero=usage(); $begin=time; my $cpu=$zero[1]+$zero[2];
say_('start',sprintf('%.6f',$begin),sprintf('%.3f',$block));
sub tell_ { my @u=usage(); say_('@',sprintf('%.6f',time),$_[0],$pages,$u[0]-$zero[0],sprintf('%.4f',$u[1]-$zero[1]),
  sprintf('%.4f',$u[2]-$zero[2]),sprintf('%.6f',$on[0]),sprintf('%.6f',$on[1]),sprintf('%.6f',$on[2]));
  end_('processor time') if $u[1]+$u[2]-$cpu>$limit }
my $k=0;
for my $state (split //,$order){ my $start=$begin+$k++*$block; my ($done,$told)=(0,$start); tell_($state);
  while(1){ my $t=time; last if $t>=$start+$block; my $want=int(($t-$start)*$rate/$N); my $due=$want-$done; $done=$want;
    $due=4 if $due>4;
    for(1..$due){ if($state){ my $t0=time; my $t1=fresh(); my $t2=time; $on[0]+=$t1-$t0; $on[1]+=$t2-$t1; $pages+=$N }
      else { my $t0=time; sham(); $on[2]+=time-$t0 } }
    if($t-$told>=.5){ $told=$t; tell_($state); end_('memory') if low() }
    my $left=$start+$block-time; $left=.02 if $left>.02; $left=0 if $left<0;
    my $in=''; vec($in,0,1)=1; if(select($in,undef,undef,$left)>0){ my $x; my $n=sysread(STDIN,$x,64);
      if(defined $n && !$n){ tell_($state); end_('input closed') } } } }
tell_('0'); end_('done');
